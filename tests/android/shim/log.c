/* Android's liblog, to standard error. */
#include <stdarg.h>
#include <stdio.h>

int __android_log_vprint(int priority, const char* tag, const char* format, va_list arguments) {
  char line[4096];
  vsnprintf(line, sizeof(line), format, arguments);
  return fprintf(stderr, "logcat %c/%s: %s\n", "??VDIWEF"[priority & 7], tag, line);
}

int __android_log_print(int priority, const char* tag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = __android_log_vprint(priority, tag, format, arguments);
  va_end(arguments);
  return count;
}

int __android_log_write(int priority, const char* tag, const char* text) {
  return __android_log_print(priority, tag, "%s", text);
}
