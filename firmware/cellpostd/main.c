/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpostd - the gateway's daemon. */
#include "firmware/cellpostd/daemon.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "firmware/common/routing_load.h"
#include "src/number/number.h"

static void usage(FILE *out)
{
    (void)fprintf(out, "usage: cellpostd --config FILE [--check]\n"
                       "\n"
                       "  -c, --config FILE   configuration (see cellpost.ini(5)); default /etc/cellpost/cellpost.ini\n"
                       "      --check         read the configuration, say what is wrong with it, and end\n"
                       "      --version\n"
                       "  -h, --help\n"
                       "\n"
                       "SIGTERM stops cleanly (what is on the air may finish, at most 10 s), SIGHUP reads ports, SIMs, tariffs\n"
                       "and routes again.\n");
}

static void print_notes(const char *what, const struct config_notes *notes)
{
    for (unsigned i = 0; i < notes->count; i++)
        (void)fprintf(stderr, "%s%s\n", what, notes->text[i]);
    if (notes->more != 0)
        (void)fprintf(stderr, "%s... and %u more\n", what, notes->more);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'k' },
        { "version", no_argument, NULL, 'v' },      { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *path = "/etc/cellpost/cellpost.ini";
    struct config_errors errors;
    struct routing *routing = NULL;
    struct config config;
    char text[160];
    int option, status;
    bool check = false;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'v':
            (void)puts("cellpostd " CELLPOST_VERSION);
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind != argc) {
        (void)fprintf(stderr, "cellpostd: '%s' is not expected here\n", argv[optind]);
        usage(stderr);
        return 2;
    }
    (void)umask(077);   /* messages and keys are nobody else's; the API socket gets the mode of its own key */
    (void)setenv("UV_THREADPOOL_SIZE", "1", 0);   /* one thing at a time is read beside the loop */
    (void)mallopt(M_ARENA_MAX, 2);   /* few threads that allocate: one arena each would only cost memory */
    if (config_load(path, &config, &errors) < 0) {
        print_notes("", &errors.errors);
        return 1;
    }
    print_notes("warning: ", &errors.warnings);
    status = routing_load(&config, &routing, &errors) < 0 ? 1 : 0;
    print_notes("", &errors.errors);
    print_notes("warning: ", &errors.warnings);
    if (status == 0 && check) {
        routing_describe(routing, text, sizeof text);
        (void)printf("%s: ok\ntariffs and routes: %s\nkinds of numbers: %s\n", path, text, number_backend());
        routing_free(routing);
    } else if (status == 0) {
        status = daemon_run(path, &config, routing);
    }
    config_done(&config);
    return status;
}
