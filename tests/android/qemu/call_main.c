/* call_main LIBRARY ...: calls the library's main. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  void* const library = dlopen(argv[1], RTLD_NOW);
  int (*const called)(int, char**) =
      library == NULL ? NULL : (int (*)(int, char**))dlsym(library, "main");
  if (called == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  return called(argc - 1, argv + 1);
}
