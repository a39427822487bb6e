// Stands in for the NVIDIA driver, libcuda.so.1, which the program looks for before it opens a backend library.
extern "C" int cuInit(unsigned) { return 0; }
