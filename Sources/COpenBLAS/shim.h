#pragma once
// The declarations only: the library itself is loaded when it is asked for, and nothing links it.
#if __has_include(<cblas-openblas.h>)
#include <cblas-openblas.h>
#elif __has_include(<openblas/cblas.h>)
#include <openblas/cblas.h>
#else
#include <cblas.h>
#endif

typedef __typeof__(&cblas_sgemm) cetnet_cblas_sgemm;
typedef __typeof__(&openblas_set_num_threads) cetnet_openblas_set_num_threads;
typedef __typeof__(&openblas_get_config) cetnet_openblas_get_config;
typedef __typeof__(&openblas_get_corename) cetnet_openblas_get_corename;
typedef __typeof__(&openblas_get_parallel) cetnet_openblas_get_parallel;
typedef __typeof__(&cblas_dgemm) cetnet_cblas_dgemm;
typedef __typeof__(&cblas_dsyrk) cetnet_cblas_dsyrk;
// Of lapacke.h, which drags in complex numbers: eigenvalues and eigenvectors of a symmetric matrix.
typedef int (*cetnet_lapacke_dsyevd)(int layout, char job, char triangle, blasint n, double *a, blasint lda, double *w);
