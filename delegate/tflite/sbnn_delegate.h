/* The delegate for native programs: C, and C++ with TfLiteInterpreterOptionsAddDelegate or
 * Interpreter::ModifyGraphWithDelegate. */
#ifndef SBNN_DELEGATE_TFLITE_SBNN_DELEGATE_H_
#define SBNN_DELEGATE_TFLITE_SBNN_DELEGATE_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct TfLiteDelegate; /* of TensorFlow Lite; a TfLiteOpaqueDelegate is the same */

typedef enum sbnn_claim {
  SBNN_CLAIM_FASTER = 0, /* the parts of a network that are expected to be faster here */
  SBNN_CLAIM_ALL = 1,    /* all that the delegate can run */
} sbnn_claim;

/* Strings may be null, as the empty one; they are copied. */
typedef struct sbnn_delegate_options {
  int num_threads;        /* that one inference may use; 1 to 256 */
  const char* cache_path; /* a file of this model that keeps the packed weights */
  sbnn_claim claim;
  int allow_fp16;      /* 1: compute in 16-bit floats where the CPU can */
  const char* explain; /* "1": to standard error, and on Android to logcat; else a file */
  const char* report;  /* a file for records, one JSON object a line */
  int report_sink;     /* what sbnn_add_report_sink returned; 0: none */
  int profile;         /* 1: report the time of each operator */
  const char* isa;     /* an instruction set that sbnn_isa might name; null: the best */
} sbnn_delegate_options;

/* One thread, SBNN_CLAIM_FASTER, the rest off. */
sbnn_delegate_options sbnn_delegate_options_default(void);

/* Null `options`: the default ones. Returns null where an option is wrong or there is no memory,
 * and then writes why, cut to `error_size` bytes, to `error` (which may be null). The caller
 * deletes the delegate, after all interpreters that it was given to. */
struct TfLiteDelegate* sbnn_delegate_create(const sbnn_delegate_options* options, char* error,
                                            size_t error_size);

/* May be null. */
void sbnn_delegate_delete(struct TfLiteDelegate* delegate);

/* The best instruction set of this library on this CPU: "neon", "avx2", ... */
const char* sbnn_isa(void);

const char* sbnn_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SBNN_DELEGATE_TFLITE_SBNN_DELEGATE_H_ */
