/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - boxes and their account in one process on a virtual clock: the gateway, the store and the sync of each box, and the
 * account's own decisions, with a network between them that loses, doubles, delays and lies.
 *
 * All chance comes from the seed: one seed, one exact replay. Modems are a line of code here (the other simulation has real ones):
 * a part that is handed over was sent, was refused, or nobody knows. Disks are tests/simulation/disk.h: power cuts in the middle
 * of commits. The account's storage is account_memory.h.
 *
 *   world.c    the clock, the turns, faults      box.c       a box: start, crash, work, clients
 *   network.c  requests and answers on their way central.c   the account: servers, persons, backups
 *   verdict.c  what must hold (I1 to I13), after every step and at the end */
#ifndef CELLPOST_SIMULATION_CREDITS_WORLD_H
#define CELLPOST_SIMULATION_CREDITS_WORLD_H

#include "firmware/central/desk.h"
#include "hal/sim/sim_random.h"
#include "src/gateway/gateway.h"
#include "src/sync/sync.h"
#include "tests/simulation/account_memory.h"
#include "tests/simulation/disk.h"

#define SECONDS(n) ((uint64_t)(n) * 1000000u)
#define MINUTES(n) SECONDS((uint64_t)(n) * 60u)
#define HOURS(n) MINUTES((uint64_t)(n) * 60u)
#define DAYS(n) HOURS((uint64_t)(n) * 24u)
#define NEVER UINT64_MAX
#define WORLD_EPOCH_MS INT64_C(1790000000000)
#define CREDIT INT64_C(1000000)

#define BOXES_MAX 8
#define BOX_SLOTS 2
#define PRICES_MAX 64
#define PACKETS_MAX 64
#define ATTEMPTS_MAX 65536
#define VIOLATIONS_MAX 8

enum fault {
    FAULT_LOSE,                              /* a request or an answer is lost */
    FAULT_DOUBLE,                            /* a request comes twice, the second time up to hours later */
    FAULT_DELAY,
    FAULT_PORTAL,                            /* something else answers: HTML, a redirect, half an answer, nonsense */
    FAULT_OFFLINE,                           /* hours or days without a network */
    FAULT_POWER,                             /* of a box, at any step of its disk */
    FAULT_KILL,                              /* of its process */
    FAULT_SERVER,                            /* the account's server dies: before or after its commit */
    FAULT_CLOCK,                             /* a box's clock is wrong: 1970, or years ahead */
    FAULT_PRICES,                            /* a new table while boxes are anywhere */
    FAULT_FREEZE,                            /* a box is frozen and released */
    FAULT_EXPIRY,                            /* leases that end within hours */
    FAULT_POOR,                              /* the account has little, and is funded later */
    FAULT_COUNT
};

/* What the seed is about, beside the faults. */
enum story {
    STORY_HONEST,
    STORY_CLONE,                             /* copies of a card in machines that look alike */
    STORY_NAIVE_CLONE,                       /* in machines that do not */
    STORY_OLD_IMAGE,                         /* a box is set back to an image of its card */
    STORY_STOLEN,                            /* a box is revoked: enrolled again elsewhere */
    STORY_BACKUP,                            /* the account is set back to a backup */
    STORIES
};

struct attempt {                             /* of one box's life */
    int64_t id, message_id;
    uint16_t part;
    bool open, handed_over, crashed, refused, unknown;   /* crashed: its box went down while it was open */
};

/* What a thief copies: the disk, and the files beside the database. */
struct card { uint8_t key[16], pending_key[16]; uint8_t box_id[LEASE_BOX_ID_OCTETS]; bool enrolled; struct wire_enroll pending; bool has_pending; };

struct box {
    struct world *world;
    unsigned number;
    bool exists, up, honest;
    struct disk *disk;
    struct card card;
    uint8_t hw_fingerprint[SHA256_OCTETS];
    int64_t clock_off_ms;
    struct store *store;
    struct gateway *gateway;
    struct sync *sync;
    uint64_t boot_us, start_us;              /* start_us: it comes up then; NEVER: it is up, or gone for good */
    struct store_change *committing; uint64_t commit_done_us;
    struct { bool busy; int64_t attempt_id; uint64_t done_us; } slots[BOX_SLOTS];
    struct { bool asked; uint64_t timeout_us; unsigned number; } request;   /* under way by its own idea */
    struct attempt *attempts; uint32_t attempt_count;
    int64_t attempts_before;                 /* of a copy: those that its original made */
    uint64_t client_us, offline_until_us;
    uint64_t busy_mean_us;
    struct journal_head acked_before;        /* I7 */
    uint32_t epoch_before;
    uint64_t identity_us;                    /* what the account gave it is on its disk then */
    struct wire_enrolled enrolled;
    struct store_change *step_done;          /* of its sync, until the next turn */
    int64_t needed_micro;
    int commit_error;
    bool power;                              /* how it ends when its disk stops */
    int64_t spent_before_micro;              /* of a copy: what its original had spent until then */
};

struct packet {
    bool used, answer;                       /* answer: to the box */
    unsigned box, request;                   /* which of the box's requests */
    uint64_t due_us;
    enum wire_call call;
    bool proved; uint8_t box_id[LEASE_BOX_ID_OCTETS], key[16];
    char *method, *target, *body; size_t length;
    uint16_t status;
    int error;
};

struct world_options { uint64_t seed, length_us; uint64_t faults; int story; unsigned boxes, clones; bool trace; };   /* story < 0, boxes 0: drawn */

struct world_result {
    uint64_t virtual_us, turns, box_us, starts, messages, parts, requests, answers, leases, entries, checks;
    uint64_t faults[FAULT_COUNT];
    uint64_t stories[STORIES];
    uint64_t fenced;
    int64_t captured_micro, overspent_micro, bound_micro;    /* of copies: the most, and what it may be */
    double worst_of_bound;
    uint32_t violation_count;
    char violations[VIOLATIONS_MAX][240];
};

struct central {
    struct account_memory *memory, *backup;
    struct account_hands hands;
    uint8_t public_key[LEASE_PUBLIC_KEY_OCTETS];
    uint8_t private_key[LEASE_PRIVATE_KEY_OCTETS];
    uint64_t down_until_us, person_us, sweep_us;
    uint32_t price_version;
    char price_csv[PRICES_MAX][160];         /* of each version from 1 on: a person imports them again after a backup was brought back */
    bool poor;
    struct journal_head acked[BOXES_MAX]; uint32_t epochs[BOXES_MAX];   /* I7, by box number */
    bool set_back;
    uint64_t token;
};

struct world {
    struct world_options options;
    struct world_result *result;
    struct sim_random random;
    uint64_t now_us, end_us, settle_us;
    bool settling;
    enum story story;
    uint64_t story_us, trouble_us;
    struct disk *image_disk; struct card image; int64_t image_spent_micro;
    struct box boxes[BOXES_MAX];
    unsigned box_count;
    struct packet packets[PACKETS_MAX];
    struct central central;
    int64_t largest_exposure_micro;          /* unclosed leases of one box at a time */
};

int world_run(const struct world_options *options, struct world_result *ret_result);
void violation(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace(const struct world *world, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint32_t draw_between(struct world *world, uint32_t low, uint32_t high);
bool draw_percent(struct world *world, uint32_t percent);
uint64_t draw_wait_us(struct world *world, uint64_t mean_us);
bool fault_now(struct world *world, enum fault fault, uint32_t percent);   /* and counts it */
int world_random(void *world, unsigned char *octets, size_t length);       /* signature_random_fn */
int64_t world_ms(const struct world *world);

/* box.c */
int box_new_in(struct world *world, unsigned number);
void box_done(struct box *box);
void box_enrol(struct box *box, const char *token);
void box_turn(struct box *box);
uint64_t box_due_us(const struct box *box);
void box_crash(struct box *box, bool power);
void box_stop(struct box *box);              /* in peace */
void box_answer(struct box *box, const struct packet *packet);   /* NULL: nothing came in time */
struct sync_now box_now(const struct box *box);
int box_summary(struct box *box, struct credit_summary *ret_summary);

/* network.c */
void network_send(struct box *box, enum wire_call call, const struct wire_message *message);
void network_turn(struct world *world);
uint64_t network_due_us(const struct world *world);
void network_done(struct world *world);

/* central.c */
int central_init(struct world *world);
void central_done(struct world *world);
void central_turn(struct world *world);
uint64_t central_due_us(const struct world *world);
/* false: no answer comes. */
bool central_answer(struct world *world, const struct packet *request, struct packet *ret_answer);
void central_token(struct world *world, char ret_token[40]);
void central_token_again(struct world *world, const uint8_t *box_id, char ret_token[40]);
void central_set_back(struct world *world);  /* to its backup */
void central_settle(struct world *world);    /* there is enough for all that waits */
void central_freeze(struct world *world, const uint8_t *box_id, bool freeze);

/* verdict.c */
void verdict_step(struct world *world);      /* cheap, after each request to the account */
void verdict_end(struct world *world);
int64_t verdict_spent(struct box *box);      /* what its disk says that was captured; the box is down */
int64_t verdict_spent_on(struct world *world, struct disk *disk);

extern const char *const fault_names[FAULT_COUNT], *const story_names[STORIES];

#endif
