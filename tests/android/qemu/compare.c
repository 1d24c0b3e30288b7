/* compare TFLITE DELEGATE MODEL THREADS FP16 ISA: runs a model in stock TensorFlow Lite, with
 * XNNPACK and without, and in the delegate, all Android's libraries, as a native app does, and
 * prints a line of JSON: how far the outputs are apart and what the delegate claims. ISA "-": the
 * best. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/report/sbnn_report.h"
#include "delegate/tflite/sbnn_delegate.h"

static void* tflite;
static void* sbnn;

static void* Find(void* library, const char* name) {
  void* const found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "no %s: %s\n", name, dlerror());
    exit(1);
  }
  return found;
}
/* A function of a library, of this type. */
#define CALL(library, result, name, ...) ((result(*)(__VA_ARGS__))Find(library, #name))

static void* Open(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return library;
}

static int claimed, nodes, float16_steps;
static char operators[4096]; /* that are claimed, as strings of JSON */

static void Receive(const char* line, void* user) {
  (void)user;
  if (strstr(line, "\"record\":\"node\"") != NULL) {
    ++nodes;
    if (strstr(line, "\"claimed\":true") == NULL) return;
    ++claimed;
    const char* const name = strstr(line, "\"op\":") + strlen("\"op\":");
    const int length = (int)strcspn(name + 1, "\"") + 2;
    const size_t used = strlen(operators), room = sizeof(operators) - used;
    const char* const comma = used == 0 ? "" : ",";
    if (snprintf(operators + used, room, "%s%.*s", comma, length, name) >= (int)room) exit(1);
  }
  float16_steps +=
      strstr(line, "\"record\":\"step\"") != NULL && strstr(line, "\"fp16\":true") != NULL;
}

/* How TensorFlow Lite numbers its types. */
enum { kFloat32 = 1, kUInt8 = 3, kInt8 = 9 };

typedef struct Output {
  int type;
  size_t count;
  double* values;
} Output;

enum { kMostOutputs = 64 };
static const double kContradiction = 1e-3;

static int TypeOf(void* tensor) { return CALL(tflite, int, TfLiteTensorType, void*)(tensor); }

static void Fill(void* tensor) {
  void* const data = CALL(tflite, void*, TfLiteTensorData, void*)(tensor);
  const size_t bytes = CALL(tflite, size_t, TfLiteTensorByteSize, void*)(tensor);
  const int floats = TypeOf(tensor) == kFloat32;
  for (size_t k = 0; floats && k < bytes / sizeof(float); ++k) {
    ((float*)data)[k] = (float)rand() / RAND_MAX * 2 - 1;
  }
  for (size_t k = 0; !floats && k < bytes; ++k) ((unsigned char*)data)[k] = rand() >> 7 & 255;
}

static Output Read(const void* tensor) {
  Output output;
  output.type = TypeOf((void*)tensor);
  if (output.type != kFloat32 && output.type != kUInt8 && output.type != kInt8) exit(1);
  const size_t size = output.type == kFloat32 ? sizeof(float) : 1;
  output.count = CALL(tflite, size_t, TfLiteTensorByteSize, const void*)(tensor) / size;
  output.values = malloc(output.count * sizeof(double) + 1);
  const void* const data = CALL(tflite, void*, TfLiteTensorData, const void*)(tensor);
  for (size_t k = 0; k < output.count; ++k) {
    output.values[k] = output.type == kFloat32 ? ((const float*)data)[k]
                       : output.type == kInt8  ? ((const signed char*)data)[k]
                                               : ((const unsigned char*)data)[k];
  }
  return output;
}

/* Runs the model, and returns how many outputs it has; 0, where the delegate refuses it. */
static int Run(const char* path, int threads, struct TfLiteDelegate* delegate, Output* outputs) {
  void* const model = CALL(tflite, void*, TfLiteModelCreateFromFile, const char*)(path);
  void* const options = CALL(tflite, void*, TfLiteInterpreterOptionsCreate, void)();
  CALL(tflite, void, TfLiteInterpreterOptionsSetNumThreads, void*, int)(options, threads);
  if (delegate != NULL) {
    CALL(tflite, void, TfLiteInterpreterOptionsAddDelegate, void*, void*)(options, delegate);
  }
  void* const interpreter =
      CALL(tflite, void*, TfLiteInterpreterCreate, void*, void*)(model, options);
  if (interpreter == NULL) return 0;
  if (CALL(tflite, int, TfLiteInterpreterAllocateTensors, void*)(interpreter) != 0) exit(1);
  const int inputs = CALL(tflite, int, TfLiteInterpreterGetInputTensorCount, void*)(interpreter);
  srand(1);
  for (int i = 0; i < inputs; ++i) {
    Fill(CALL(tflite, void*, TfLiteInterpreterGetInputTensor, void*, int)(interpreter, i));
  }
  /* Twice: buffers that a first run leaves behind must not matter. */
  for (int i = 0; i < 2; ++i) {
    if (CALL(tflite, int, TfLiteInterpreterInvoke, void*)(interpreter) != 0) exit(1);
  }
  const int count = CALL(tflite, int, TfLiteInterpreterGetOutputTensorCount, void*)(interpreter);
  if (count > kMostOutputs) exit(1);
  for (int i = 0; i < count; ++i) {
    outputs[i] = Read(
        CALL(tflite, const void*, TfLiteInterpreterGetOutputTensor, void*, int)(interpreter, i));
  }
  CALL(tflite, void, TfLiteInterpreterDelete, void*)(interpreter);
  CALL(tflite, void, TfLiteInterpreterOptionsDelete, void*)(options);
  CALL(tflite, void, TfLiteModelDelete, void*)(model);
  return count;
}

/* How far outputs are apart: of floats relative to the largest of its output, of 8 bits in steps.
 */
typedef struct Apart {
  double spread; /* of what is wanted itself, relative too */
  double difference;
  int steps;
} Apart;

static void Compare(const Output* stock, const Output* ours, Apart* apart) {
  if (stock->type != ours->type || stock->count != ours->count) exit(1);
  double largest = 1e-6, difference = 0, spread = 0;
  for (size_t i = 0; i < stock->count; ++i) {
    const double want = stock->values[i], found = ours->values[i];
    largest = fmax(largest, fabs(want));
    spread = fmax(spread, fabs(want - stock->values[0]));
    difference = fmax(difference, isfinite(found) ? fabs(want - found) : INFINITY);
  }
  apart->spread = spread / largest;
  if (stock->type == kFloat32) {
    apart->difference = difference / largest;
  } else {
    apart->steps = (int)difference;
  }
}

static void Add(const Apart* one, Apart* all) {
  all->spread = fmax(all->spread, one->spread);
  all->difference = fmax(all->difference, one->difference);
  if (one->steps > all->steps) all->steps = one->steps;
}

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  tflite = Open(argv[1]);
  sbnn = Open(argv[2]);
  const int threads = atoi(argv[4]);
  Output plain[kMostOutputs], stock[kMostOutputs], ours[kMostOutputs];
  const int count = Run(argv[3], threads, NULL, plain);
  struct TfLiteDelegate* const xnnpack =
      CALL(tflite, struct TfLiteDelegate*, TfLiteXNNPackDelegateCreate, const void*)(NULL);
  /* It takes no graphs with shapes that are found as they run. */
  const int with_xnnpack = Run(argv[3], threads, xnnpack, stock);
  if (with_xnnpack == 0) Run(argv[3], threads, NULL, stock);
  CALL(tflite, void, TfLiteXNNPackDelegateDelete, struct TfLiteDelegate*)(xnnpack);

  sbnn_delegate_options options =
      CALL(sbnn, sbnn_delegate_options, sbnn_delegate_options_default, void)();
  options.num_threads = threads;
  options.claim = SBNN_CLAIM_ALL;
  options.allow_fp16 = atoi(argv[5]);
  options.isa = strcmp(argv[6], "-") == 0 ? NULL : argv[6];
  options.report_sink =
      CALL(sbnn, int, sbnn_add_report_sink, sbnn_report_callback, void*)(Receive, NULL);
  char error[500] = "";
  struct TfLiteDelegate* const delegate =
      CALL(sbnn, struct TfLiteDelegate*, sbnn_delegate_create, const sbnn_delegate_options*, char*,
           size_t)(&options, error, sizeof(error));
  if (delegate == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  if (Run(argv[3], threads, delegate, ours) != count) return 1;
  CALL(sbnn, void, sbnn_delegate_delete, struct TfLiteDelegate*)(delegate);

  Apart apart = {0, 0, 0}, own = {0, 0, 0};
  for (int i = 0; i < count; ++i) {
    Apart with = {0, 0, 0}, without = {0, 0, 0}, between = {0, 0, 0};
    Compare(&stock[i], &ours[i], &with);
    Compare(&plain[i], &ours[i], &without);
    Compare(&stock[i], &plain[i], &between);
    /* Where the two contradict each other, one of them is right. Seen of grouped convolutions of
     * several images, and in 2.16 of graphs with transposed ones. */
    const int other = between.difference > kContradiction && without.difference < with.difference;
    Add(other ? &without : &with, &apart);
    Add(&between, &own);
  }
  printf(
      "{\"isa\":\"%s\",\"outputs\":%d,\"spread\":%.9g,\"difference\":%.9g,\"steps\":%d,"
      "\"own_difference\":%.9g,\"own_steps\":%d,\"nodes\":%d,\"claimed\":%d,\"operators\":[%s],"
      "\"float16_steps\":%d}\n",
      CALL(sbnn, const char*, sbnn_isa, void)(), count, apart.spread, apart.difference, apart.steps,
      own.difference, own.steps, nodes, claimed, operators, float16_steps);
  for (int i = 0; i < count; ++i) {
    free(plain[i].values);
    free(stock[i].values);
    free(ours[i].values);
  }
  return 0;
}
