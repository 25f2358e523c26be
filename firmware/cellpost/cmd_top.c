/* SPDX-License-Identifier: Apache-2.0
 *
 * top: modems and queue on one screen, each second anew. Into a pipe: once. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/metrics.h"
#include "firmware/cellpost/modem_rows.h"
#include "firmware/cellpost/when.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define REFRESH_MS 1000
#define RATE_SAMPLES 10         /* the rate is that of the last ten seconds: parts take seconds */

static const struct cli_syntax top_syntax = {
    .verb = "top", .arguments = "", .summary = "Shows the modems, what is on the air, and the queue; each second anew. q ends.",
    .notes = "Where stdout is no terminal, and with --json, it shows it once.",
};

struct sample { int64_t at_ms; double parts_sent; };

struct top {
    struct client_answer modems, metrics;
    struct sample samples[RATE_SAMPLES];
    size_t sample_count;
};

static volatile sig_atomic_t stop_asked;
static struct termios saved_terminal;

/* -- reading --------------------------------------------------------------------------------------------------- */

/* Both answers anew; on failure the old ones stay, so that the screen does not go blank with a restart of the gateway. */
static int top_read(struct cli *cli, struct top *top)
{
    struct client_answer modems, metrics;
    int status = cli_call(cli, &(struct client_request){ .method = "GET", .target = "/v1/modems" }, &modems);

    if (status != CLI_OK)
        return status;
    status = cli_call(cli, &(struct client_request){ .method = "GET", .target = "/metrics" }, &metrics);
    if (status != CLI_OK) {
        client_answer_done(&modems);
        return status;
    }
    client_answer_done(&top->modems);
    client_answer_done(&top->metrics);
    top->modems = modems;
    top->metrics = metrics;

    if (top->sample_count == RATE_SAMPLES)
        memmove(top->samples, top->samples + 1, --top->sample_count * sizeof top->samples[0]);
    top->samples[top->sample_count++] =
        (struct sample){ cli_monotonic_ms(), metrics_value(metrics.body, "cellpost_parts_total{result=\"sent\"}") };
    return CLI_OK;
}

/* Parts per second over the samples. A counter that went back is a gateway that started anew: from there. */
static double top_rate(const struct top *top)
{
    size_t first = 0, last = top->sample_count > 0 ? top->sample_count - 1 : 0;

    for (size_t i = 1; i < top->sample_count; i++)
        if (top->samples[i].parts_sent < top->samples[i - 1].parts_sent)
            first = i;
    int64_t ms = top->samples[last].at_ms - top->samples[first].at_ms;
    return ms > 0 ? (top->samples[last].parts_sent - top->samples[first].parts_sent) * 1000.0 / (double)ms : 0;
}

/* -- writing --------------------------------------------------------------------------------------------------- */

static char *top_head(const struct cli *cli, const struct top *top)
{
    const char *metrics = top->metrics.body;
    char now[WHEN_TEXT_MAX], up[WHEN_TEXT_MAX], rate[32] = "";
    double started_s = metrics_value(metrics, "cellpost_start_time_seconds");

    when_format(cli_now_ms(), cli->utc, now);
    duration_format(cli_now_ms() - (int64_t)(started_s * 1000), up);
    if (top->sample_count > 1)
        (void)snprintf(rate, sizeof rate, ", %.1f parts/s now", top_rate(top));
    return memory_printf(
        "cellpost  %s, up %s%s\n"
        "messages  %.0f queued, %.0f scheduled, %.0f sending, %.0f sent and waiting for reports, %.0f unknown, %.0f held\n"
        "parts     %.0f sent, %.0f refused, %.0f unknown since start%s\n"
        "received  %.0f parts, %.0f reports     commit %.1f ms (99 %%: %.1f ms)\n\n",
        now, up, metrics_value(metrics, "cellpost_accepting") > 0 ? "" : "; NEW MESSAGES ARE REFUSED: see cellpost health",
        metrics_value(metrics, "cellpost_messages{state=\"queued\"}"), metrics_value(metrics, "cellpost_messages{state=\"scheduled\"}"),
        metrics_value(metrics, "cellpost_messages{state=\"sending\"}"), metrics_value(metrics, "cellpost_messages{state=\"sent\"}"),
        metrics_value(metrics, "cellpost_messages{state=\"unknown\"}"), metrics_value(metrics, "cellpost_messages{state=\"held\"}"),
        metrics_value(metrics, "cellpost_parts_total{result=\"sent\"}"),
        metrics_value(metrics, "cellpost_parts_total{result=\"refused\"}"),
        metrics_value(metrics, "cellpost_parts_total{result=\"unknown\"}"), rate,
        metrics_value(metrics, "cellpost_received_total"), metrics_value(metrics, "cellpost_reports_total"),
        metrics_value(metrics, "cellpost_store_commit_seconds{quantile=\"0.5\"}") * 1000.0,
        metrics_value(metrics, "cellpost_store_commit_seconds{quantile=\"0.99\"}") * 1000.0);
}

static char *top_page(const struct cli *cli, const struct top *top, size_t width, bool color)
{
    struct table *table = modem_rows_busy(json_object_get(top->modems.json, "modems"));
    char *head = top_head(cli, top), *rows = table_render(table, width, color, true);
    char *page = memory_printf("%s%s", head, rows);

    table_free(table);
    free(head);
    free(rows);
    return page;
}

/* One screen without a flicker: each line over the old one, its rest cleared; what does not fit is counted. */
static void draw(const char *page, const char *notice, size_t height)
{
    size_t line_count = 0, lines_left = 0;

    fputs("\033[H", stdout);
    for (const char *line = page; *line != '\0'; line_count++) {
        size_t length = strcspn(line, "\n");
        if (line_count + 2 <= height) {
            printf("%.*s\033[K\r\n", (int)length, line);
        } else {
            lines_left++;
        }
        line += length + (line[length] == '\n');
    }
    if (lines_left > 0)
        printf("... and %zu more lines: the terminal is too low\033[K", lines_left);
    else
        printf("%s\033[K\033[J", notice);
    (void)fflush(stdout);
}

/* -- the terminal ---------------------------------------------------------------------------------------------- */

static void on_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

static void terminal_restore(void)
{
    fputs("\033[?7h\033[?25h\033[?1049l", stdout);   /* line wrap, the cursor, and the screen as it was */
    (void)fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_terminal);
}

static bool terminal_take(void)
{
    static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_stop };
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &saved_terminal) < 0)
        return false;
    raw = saved_terminal;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;   /* stopped with ^Z the terminal would stay as it is now */
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        (void)sigaction(stops[i], &action, NULL);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
        return false;
    fputs("\033[?1049h\033[?25l\033[?7l\033[2J", stdout);   /* without wrap a line that is too long ends at the edge */
    return true;
}

/* Waits for the next refresh; true where q, Ctrl-C or the end of the terminal asks to stop. */
static bool wait_for_key(int64_t until_ms)
{
    while (!stop_asked) {
        struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
        int64_t left_ms = until_ms - cli_monotonic_ms();
        char key;

        if (left_ms <= 0)
            return false;
        int n = poll(&in, 1, (int)left_ms);
        if (n < 0 && errno != EINTR)
            return true;
        if (n < 0)
            continue;   /* a signal: the loop asks whether it means the end */
        if (n > 0 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == 3 || key == 27))
            return true;
    }
    return true;
}

static void watch(struct cli *cli, struct top *top)
{
    const char *notice = "q ends";

    cli->quiet = true;
    for (bool stop = false; !stop;) {
        struct winsize size = { .ws_row = 24, .ws_col = 80 };
        int64_t next_ms = cli_monotonic_ms() + REFRESH_MS;

        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        char *page = top_page(cli, top, size.ws_col, cli_color());
        draw(page, notice, size.ws_row);
        free(page);
        stop = wait_for_key(next_ms);
        if (!stop)
            notice = top_read(cli, top) == CLI_OK ? "q ends" : "THE GATEWAY DOES NOT ANSWER: this is how it was. q ends";
    }
}

int cmd_top(int argc, char **argv)
{
    struct top top = { 0 };
    struct cli cli;

    cli_begin(&cli, &top_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind < argc)
        return cli_usage_error(&cli, "\"%s\" is too much", argv[optind]);

    int status = top_read(&cli, &top);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    if (cli.json) {
        cli_print_json(top.modems.json);
    } else if (isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 && terminal_take()) {
        watch(&cli, &top);
        terminal_restore();
    } else {
        char *page = top_page(&cli, &top, cli_width(), cli_color());
        fputs(page, stdout);
        free(page);
    }
    client_answer_done(&top.modems);
    client_answer_done(&top.metrics);
    return cli_end(&cli, CLI_OK);
}
