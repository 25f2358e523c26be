/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/figures.h"

#include "tests/system/harness.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static double load_before[1];

static _Noreturn void usage(FILE *out, const char *program, const char *what, const struct figures_option *options)
{
    (void)fprintf(out, "usage: %s [OPTION]...\n%s\n\n", program, what);
    for (; options->name != NULL; options++)
        (void)fprintf(out, "  --%-16s %s (%u)\n", options->name, options->help, *options->value);
    exit(out == stdout ? 0 : 2);
}

void figures_options(int argc, char **argv, const char *what, const struct figures_option *options)
{
    (void)getloadavg(load_before, 1);
    for (int i = 1; i < argc; i++) {
        const struct figures_option *option = options;
        char *end = NULL;

        if (strcmp(argv[i], "--help") == 0)
            usage(stdout, argv[0], what, options);
        while (option->name != NULL && (strncmp(argv[i], "--", 2) != 0 || strcmp(argv[i] + 2, option->name) != 0))
            option++;
        if (option->name == NULL || i + 1 == argc) {
            (void)fprintf(stderr, "'%s' is not understood, or its number is missing\n", argv[i]);
            usage(stderr, argv[0], what, options);
        }
        *option->value = (unsigned)strtoul(argv[++i], &end, 10);
        if (end == argv[i] || *end != '\0') {
            (void)fprintf(stderr, "--%s takes a number, not '%s'\n", option->name, argv[i]);
            exit(2);
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double figures_quantile(double *values, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * share + 0.5)];
}

static double round_to(double value, double steps)
{
    return (double)(int64_t)(value * steps + 0.5) / steps;
}

json_t *figures_latency(double *values_us, size_t count)
{
    return json_pack("{s:f, s:f, s:f}", "p50", round_to(figures_quantile(values_us, count, 0.5) / 1000, 1000), "p99",
                     round_to(figures_quantile(values_us, count, 0.99) / 1000, 1000), "max",
                     round_to(figures_quantile(values_us, count, 1) / 1000, 1000));
}

static FILE *proc_open(pid_t pid, const char *name)
{
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    file = fopen(path, "re");
    if (file == NULL)
        harness_die("%s: %s", path, strerror(errno));
    return file;
}

/* From the scheduler, to the nanosecond: utime and stime are counted in ticks, which short turns of a loop never hit. */
uint64_t figures_cpu_us(pid_t pid)
{
    char path[64];
    uint64_t total_ns = 0;
    struct dirent *entry;
    DIR *tasks;

    (void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    tasks = opendir(path);
    if (tasks == NULL)
        harness_die("%s: %s", path, strerror(errno));
    while ((entry = readdir(tasks)) != NULL) {
        unsigned long long ns = 0;
        char name[64];
        FILE *file;

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof name, "task/%.20s/schedstat", entry->d_name);
        file = proc_open(pid, name);
        if (fscanf(file, "%llu", &ns) != 1)
            harness_die("/proc/%ld/%s is not understood", (long)pid, name);
        (void)fclose(file);
        total_ns += ns;
    }
    (void)closedir(tasks);
    return total_ns / 1000;
}

json_t *figures_memory(pid_t pid)
{
    FILE *file = proc_open(pid, "smaps");
    unsigned long pss = 0, rss = 0, libraries = 0, kib;
    bool in_library = false;
    char line[512];

    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Pss: %lu", &kib) == 1) {
            pss += kib;
            libraries += in_library ? kib : 0;
        } else if (sscanf(line, "Rss: %lu", &kib) == 1) {
            rss += kib;
        } else if (strchr("0123456789abcdef", line[0]) != NULL) {
            in_library = strstr(line, ".so") != NULL;
        }
    }
    (void)fclose(file);
    return json_pack("{s:I, s:I, s:I}", "pss_kib", (json_int_t)pss, "pss_shared_libraries_kib", (json_int_t)libraries, "rss_kib",
                     (json_int_t)rss);
}

static void read_cpu(char *ret_model, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    (void)snprintf(ret_model, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(ret_model, size, "%s", strchr(line, ':') + 2);
            break;
        }
    if (file != NULL)
        (void)fclose(file);
}

void figures_print(const char *name, json_t *figures)
{
    double load_after[1] = { 0 };
    struct utsname uts;
    char model[128];

    read_cpu(model, sizeof model);
    (void)uname(&uts);
    (void)getloadavg(load_after, 1);
    (void)json_object_set_new(figures, "bench", json_string(name));
    (void)json_object_set_new(figures, "machine",
                              json_pack("{s:I, s:s, s:s, s:s, s:f, s:f}", "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "cpu", model,
                                        "kernel", uts.release, "architecture", uts.machine, "load_before", load_before[0], "load_after",
                                        load_after[0]));
    if (json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) != 0)
        harness_die("the figures cannot be written");
    (void)puts("");
    json_decref(figures);
}
