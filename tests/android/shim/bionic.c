/* Bionic's libc for a process of glibc: what differs. A function bionic_NAME is exported as NAME;
 * all else that Android's libraries import goes to glibc's function of the same name (make.py). */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The standard streams are elements of an array; programs see their addresses only. */
enum { kFileBytes = 152 };
char bionic___sF[3 * kFileBytes] __attribute__((aligned(16)));
void* bionic_stdin = bionic___sF;
void* bionic_stdout = bionic___sF + kFileBytes;
void* bionic_stderr = bionic___sF + 2 * kFileBytes;

static FILE* Real(void* file) {
  const size_t at = (size_t)((char*)file - bionic___sF);
  if (at >= sizeof(bionic___sF)) return (FILE*)file;
  return at / kFileBytes == 0 ? stdin : at / kFileBytes == 1 ? stdout : stderr;
}

int bionic_vfprintf(void* file, const char* format, va_list arguments) {
  return vfprintf(Real(file), format, arguments);
}
int bionic_fprintf(void* file, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vfprintf(Real(file), format, arguments);
  va_end(arguments);
  return count;
}
int bionic_fputc(int c, void* file) { return fputc(c, Real(file)); }
int bionic_fputs(const char* text, void* file) { return fputs(text, Real(file)); }
int bionic_fflush(void* file) { return fflush(file == NULL ? NULL : Real(file)); }
int bionic_fclose(void* file) { return fclose(Real(file)); }
int bionic_fileno(void* file) { return fileno(Real(file)); }
int bionic_setvbuf(void* file, char* buffer, int mode, size_t size) {
  return setvbuf(Real(file), buffer, mode, size);
}
size_t bionic_fwrite(const void* data, size_t size, size_t count, void* file) {
  return fwrite(data, size, count, Real(file));
}
size_t bionic_fread(void* data, size_t size, size_t count, void* file) {
  return fread(data, size, count, Real(file));
}

int* bionic___errno(void) { return &errno; }

size_t bionic___strlen_chk(const char* text, size_t known) {
  const size_t length = strlen(text);
  if (length >= known) abort();
  return length;
}

void bionic___assert2(const char* file, int line, const char* function, const char* what) {
  fprintf(stderr, "%s:%d: %s: assertion \"%s\" failed\n", file, line, function, what);
  abort();
}

int bionic___system_property_get(const char* name, char* value) {
  (void)name;
  value[0] = 0;
  return 0;
}

void bionic_android_set_abort_message(const char* message) {
  fprintf(stderr, "abort message: %s\n", message);
}

int __xpg_strerror_r(int, char*, size_t); /* POSIX's, as bionic's is */
int bionic_strerror_r(int error, char* text, size_t size) {
  return __xpg_strerror_r(error, text, size);
}

long bionic_sysconf(int name) {
  switch (name) {
    case 0x27:
    case 0x28:
      return sysconf(_SC_PAGESIZE);
    case 0x60:
      return sysconf(_SC_NPROCESSORS_CONF);
    case 0x61:
      return sysconf(_SC_NPROCESSORS_ONLN);
    case 0x62:
      return sysconf(_SC_PHYS_PAGES);
    default:
      fprintf(stderr, "the shim knows no sysconf(0x%x)\n", name);
      abort();
  }
}

/* Bionic's condition variables lie at multiples of 4 bytes; glibc's use atomics of 8. The first int
 * counts what was signalled; who waits sleeps for as long as it stands. */
static void Futex(int* word, int operation, int value) {
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

int bionic_pthread_cond_init(int* condition, const void* attributes) {
  (void)attributes;
  *condition = 0;
  return 0;
}
int bionic_pthread_cond_destroy(int* condition) {
  (void)condition;
  return 0;
}
static int Wake(int* condition, int count) {
  __atomic_fetch_add(condition, 1, __ATOMIC_SEQ_CST);
  Futex(condition, FUTEX_WAKE, count);
  return 0;
}
int bionic_pthread_cond_signal(int* condition) { return Wake(condition, 1); }
int bionic_pthread_cond_broadcast(int* condition) { return Wake(condition, INT_MAX); }
int bionic_pthread_cond_wait(int* condition, pthread_mutex_t* mutex) {
  const int seen = __atomic_load_n(condition, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(mutex);
  Futex(condition, FUTEX_WAIT, seen);
  return pthread_mutex_lock(mutex);
}

#ifdef __aarch64__
/* A mutex has 48 bytes in glibc, 40 in bionic; the last eight are of no use to these kinds. */
int bionic_pthread_mutex_init(void* mutex, const pthread_mutexattr_t* attributes) {
  pthread_mutex_t made;
  const int error = pthread_mutex_init(&made, attributes);
  memcpy(mutex, &made, 40);
  return error;
}
/* Its attributes have 8 bytes in bionic, in both no more than a number is used. */
int bionic_pthread_mutexattr_init(long* attributes) {
  *attributes = 0;
  return pthread_mutexattr_init((pthread_mutexattr_t*)attributes);
}
#endif
