/* SPDX-License-Identifier: Apache-2.0
 *
 * signature.c - by the calls of mbedtls that 2.28 and 3.6 share. */
#include "src/credit/signature.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>

static int error_of(int mbedtls)
{
    switch (mbedtls) {
    case 0: return 0;
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED: return -ENOMEM;
    case MBEDTLS_ERR_ECP_VERIFY_FAILED: return -EBADMSG;
    case MBEDTLS_ERR_ECP_RANDOM_FAILED: return -EIO;
    default: return -EINVAL;
    }
}

struct drawn { signature_random_fn *random; void *context; bool failed; };

static int draw(void *context, unsigned char *octets, size_t length)
{
    struct drawn *drawn = context;

    if (drawn->random(drawn->context, octets, length) == 0)
        return 0;
    drawn->failed = true;
    return MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

int signature_make(const uint8_t hash[SHA256_OCTETS], const uint8_t private_key[SIGNATURE_PRIVATE_KEY_OCTETS], signature_random_fn *random,
                   void *context, uint8_t ret_signature[SIGNATURE_OCTETS])
{
    struct drawn drawn = { random, context, false };
    uint8_t signature[SIGNATURE_OCTETS];
    mbedtls_ecp_group group;
    mbedtls_mpi d, r, s;
    int error;

    mbedtls_ecp_group_init(&group);
    mbedtls_mpi_init(&d);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    error = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0)
        error = mbedtls_mpi_read_binary(&d, private_key, SIGNATURE_PRIVATE_KEY_OCTETS);
    if (error == 0)
        error = mbedtls_ecp_check_privkey(&group, &d);
    if (error == 0)
        error = mbedtls_ecdsa_sign_det_ext(&group, &r, &s, &d, hash, SHA256_OCTETS, MBEDTLS_MD_SHA256, draw, &drawn);
    if (error == 0)
        error = mbedtls_mpi_write_binary(&r, signature, 32);
    if (error == 0)
        error = mbedtls_mpi_write_binary(&s, signature + 32, 32);
    if (error == 0)
        memcpy(ret_signature, signature, sizeof signature);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&d);                    /* wipes it */
    mbedtls_ecp_group_free(&group);
    return drawn.failed ? -EIO : error_of(error);
}

int signature_check(const uint8_t hash[SHA256_OCTETS], const uint8_t signature[SIGNATURE_OCTETS],
                    const uint8_t public_key[SIGNATURE_PUBLIC_KEY_OCTETS])
{
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi r, s;
    int error;

    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    error = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0)
        error = mbedtls_ecp_point_read_binary(&group, &point, public_key, SIGNATURE_PUBLIC_KEY_OCTETS);
    if (error == 0)
        error = mbedtls_ecp_check_pubkey(&group, &point);   /* on the curve, and not at infinity */
    if (error == 0)
        error = mbedtls_mpi_read_binary(&r, signature, 32);
    if (error == 0)
        error = mbedtls_mpi_read_binary(&s, signature + 32, 32);
    if (error == 0)
        error = mbedtls_ecdsa_verify(&group, hash, SHA256_OCTETS, &point, &r, &s);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
    return error_of(error);
}
