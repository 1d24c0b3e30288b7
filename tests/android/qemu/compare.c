/* compare TFLITE DELEGATE MODEL THREADS FP16 ISA: runs a model in stock TensorFlow Lite and in the
 * delegate, both Android's libraries, as a native app does, and prints a line of JSON: the outputs'
 * largest difference and what the delegate claims. ISA "-": the best. */
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

static void Receive(const char* line, void* user) {
  (void)user;
  const int node = strstr(line, "\"record\":\"node\"") != NULL;
  nodes += node;
  claimed += node && strstr(line, "\"claimed\":true") != NULL;
  float16_steps +=
      strstr(line, "\"record\":\"step\"") != NULL && strstr(line, "\"fp16\":true") != NULL;
}

/* The outputs of a run, *count floats, to be freed. */
static float* Run(const char* path, int threads, struct TfLiteDelegate* delegate, size_t* count) {
  void* const model = CALL(tflite, void*, TfLiteModelCreateFromFile, const char*)(path);
  void* const options = CALL(tflite, void*, TfLiteInterpreterOptionsCreate, void)();
  CALL(tflite, void, TfLiteInterpreterOptionsSetNumThreads, void*, int)(options, threads);
  if (delegate != NULL) {
    CALL(tflite, void, TfLiteInterpreterOptionsAddDelegate, void*, void*)(options, delegate);
  }
  void* const interpreter =
      CALL(tflite, void*, TfLiteInterpreterCreate, void*, void*)(model, options);
  if (model == NULL || interpreter == NULL ||
      CALL(tflite, int, TfLiteInterpreterAllocateTensors, void*)(interpreter) != 0) {
    fprintf(stderr, "no interpreter\n");
    exit(1);
  }
  const int inputs = CALL(tflite, int, TfLiteInterpreterGetInputTensorCount, void*)(interpreter);
  srand(1);
  for (int i = 0; i < inputs; ++i) {
    void* const tensor =
        CALL(tflite, void*, TfLiteInterpreterGetInputTensor, void*, int)(interpreter, i);
    float* const data = CALL(tflite, float*, TfLiteTensorData, void*)(tensor);
    const size_t bytes = CALL(tflite, size_t, TfLiteTensorByteSize, void*)(tensor);
    for (size_t k = 0; k < bytes / sizeof(float); ++k) data[k] = (float)rand() / RAND_MAX * 2 - 1;
  }
  /* Twice: buffers that a first run leaves behind must not matter. */
  for (int i = 0; i < 2; ++i) {
    if (CALL(tflite, int, TfLiteInterpreterInvoke, void*)(interpreter) != 0) exit(1);
  }
  void* const tensor =
      CALL(tflite, void*, TfLiteInterpreterGetOutputTensor, void*, int)(interpreter, 0);
  const size_t bytes = CALL(tflite, size_t, TfLiteTensorByteSize, void*)(tensor);
  float* const outputs = malloc(bytes);
  memcpy(outputs, CALL(tflite, void*, TfLiteTensorData, void*)(tensor), bytes);
  *count = bytes / sizeof(float);
  CALL(tflite, void, TfLiteInterpreterDelete, void*)(interpreter);
  CALL(tflite, void, TfLiteInterpreterOptionsDelete, void*)(options);
  CALL(tflite, void, TfLiteModelDelete, void*)(model);
  return outputs;
}

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  tflite = Open(argv[1]);
  sbnn = Open(argv[2]);
  const int threads = atoi(argv[4]);
  size_t count, ours_count;
  float* const stock = Run(argv[3], threads, NULL, &count);

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
  float* const ours = Run(argv[3], threads, delegate, &ours_count);
  CALL(sbnn, void, sbnn_delegate_delete, struct TfLiteDelegate*)(delegate);

  double largest = 0, difference = 0, spread = 0;
  for (size_t i = 0; i < count; ++i) {
    largest = fmax(largest, fabs(stock[i]));
    spread = fmax(spread, fabs(stock[i] - stock[0]));
    difference = fmax(difference, isfinite(ours[i]) ? fabs(stock[i] - ours[i]) : INFINITY);
  }
  if (ours_count != count) return 1;
  printf(
      "{\"isa\":\"%s\",\"outputs\":%zu,\"largest\":%.9g,\"spread\":%.9g,\"difference\":%.9g,"
      "\"nodes\":%d,\"claimed\":%d,\"float16_steps\":%d}\n",
      CALL(sbnn, const char*, sbnn_isa, void)(), count, largest, spread, difference, nodes, claimed,
      float16_steps);
  free(stock);
  free(ours);
  return 0;
}
