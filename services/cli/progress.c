#include "progress.h"
#include "base/text.h"
#include <inttypes.h>
#include <string.h>

#define BAR_COLUMNS       24
#define TERMINAL_EVERY_US (SECOND_US / 8)
#define PIPE_EVERY_US     (5 * SECOND_US)

void number_words(int64_t n, char out[32])
{
    char digits[24];
    text_format(digits, sizeof(digits), "%" PRId64, n < 0 ? -n : n);
    size_t len = strlen(digits), at = 0;
    if (n < 0)
        out[at++] = '-';
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void duration_words(int64_t seconds, char out[32])
{
    if (seconds < 120)
        text_format(out, 32, "%" PRId64 " s", seconds);
    else if (seconds < 7200)
        text_format(out, 32, "%" PRId64 " min", (seconds + 30) / 60);
    else
        text_format(out, 32, "%" PRId64 " h", (seconds + 1800) / 3600);
}

void progress_line(const struct progress *progress, int64_t done, int64_t now_us, bool bar,
                   struct buf *out)
{
    enum language language = progress->cli->language;
    int64_t total = progress->total > 0 ? progress->total : 1;
    if (bar) {
        int64_t full = done * BAR_COLUMNS / total;
        buf_append_text(out, "[");
        for (int64_t i = 0; i < BAR_COLUMNS; i++)
            buf_append_text(out, i < full ? "█" : "·");
        buf_append_text(out, "] ");
    }
    char have[32], all[32], rate_text[32];
    number_words(done, have);
    number_words(progress->total, all);
    int64_t passed_us = now_us - progress->start_us, fresh = done - progress->first;
    int64_t rate = passed_us > SECOND_US / 10 && fresh > 0 ? fresh * SECOND_US / passed_us : 0;
    number_words(rate, rate_text);
    buf_append_format(out, in_words(language, "%3" PRId64 " %%  %s of %s %s  %s/s"),
                      done * 100 / total, have, all, progress->noun, rate_text);
    if (rate > 0 && done < progress->total) {
        char left[32];
        duration_words((progress->total - done) / rate, left);
        buf_append_format(out, in_words(language, "  %s left"), left);
    }
    if (progress->detail[0] != '\0')
        buf_append_format(out, "  %s", progress->detail);
}

void progress_start(struct progress *progress, const struct cli *cli, const char *noun,
                    int64_t total, int64_t now_us)
{
    *progress = (struct progress){
        .cli = cli, .noun = noun, .total = total, .start_us = now_us, .shown_us = now_us};
}

static void draw(struct progress *progress, int64_t done, int64_t now_us)
{
    struct buf line = {0};
    progress_line(progress, done, now_us, progress->cli->progress, &line);
    if (progress->cli->progress)
        fprintf(stderr, "\r\033[K%s", buf_text(&line));
    else
        fprintf(stderr, "%s\n", buf_text(&line));
    fflush(stderr);
    buf_release(&line);
    progress->shown_us = now_us;
}

void progress_show(struct progress *progress, int64_t done, int64_t now_us)
{
    if (progress->cli->json)
        return;
    if (now_us - progress->shown_us >=
        (progress->cli->progress ? TERMINAL_EVERY_US : PIPE_EVERY_US))
        draw(progress, done, now_us);
}

void progress_end(struct progress *progress, int64_t done, int64_t now_us)
{
    /* Into a file or a pipe only what took its time is worth a line. */
    bool told = progress->shown_us != progress->start_us;
    if (progress->cli->json || (!progress->cli->progress && !told))
        return;
    draw(progress, done, now_us);
    if (progress->cli->progress)
        fputc('\n', stderr);
}
