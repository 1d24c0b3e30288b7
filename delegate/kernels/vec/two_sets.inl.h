// Two numbers in a row, each in all lanes of a vector, by a load each.
namespace sbnn {
namespace SBNN_ISA {

struct TwoSets {
  SBNN_INLINE explicit TwoSets(const Element* p) : of{Set(p[0]), Set(p[1])} {}
  Vec of[2];
};

}  // namespace SBNN_ISA
}  // namespace sbnn
