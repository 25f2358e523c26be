/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.pml - credit that an account lends to a box which sends without a network, and how the two settle.
 *
 * A box takes a lease, reserves for its messages, hands parts to a modem, keeps a chained journal of what it charged, reports
 * it, asks for the next lease while it still spends the one it has, moves what waits over to that one, closes the one before
 * and gets its rest back. README.md beside this says what is left out, which code each step stands for, how to run it and what
 * came of it. Ix are the invariants listed there. Everything that survives a power cut is in Card (the box) or acct_* and what
 * is beside it (the account); one atomic {} is one transaction.
 *
 * Always on: requests lost, doubled, delayed, overtaking each other; answers lost or late; the box's power cut between any two
 * durable steps. The account handles a request in one transaction: its power cut before the commit is a request lost, after it
 * an answer lost.
 *
 * What else may happen, by -D:
 *   CLONE     the card is copied once, at any moment, and both copies run, each in a box of its own
 *   RESTORE   an image of the card is made at any moment and written back at any later one
 *   EXPIRE    account and box find a lease expired, each at any moment: no clock is right
 *   REFUSE    the network refuses a part, and the modem says so
 *   LAPSE     a message's time is over before it was sent
 *   GIVE_BACK the box closes its newest lease although something that waits would fit (it did not wait yet, or a person says so)
 *   TOP_UP    the account is given TOP_UP credits more, once, at any moment
 *   REVOKE    the box is reported stolen: the account fences it, at any moment
 *   FREEZE    a person freezes the box and releases it again, at any moments, by numbered commands
 *   LIVE      faults come to an end (LOSSES), so that a run has to come to an end as well (ltl settles)
 * Bounds: FUND, GRANT, CRASHES, REQUESTS (leases asked for), IN_FLIGHT (requests on their way), NO_DOUBLES (a request is not
 * doubled or delayed); SINGLES: three messages of one part, instead of one of one and one of two.
 *
 * That the search sees what it should: REACH (a run to its end), REACH_MOVE (a message changes its lease), REACH_AIR (a lease
 * is succeeded while a part of it is on the air), REACH_BOTH (a copy spends from two leases that are not its own) and
 * REACH_FENCE (two histories found out) must fail.
 *
 * Left out on purpose, each of which must be found out:
 *   NO_REQUEST_ID        a request for a lease has no id: asked twice, granted twice
 *   FORGET_REFUSAL       a request refused for want of credit is forgotten, so that a copy of it may be granted later
 *   ID_IN_MEMORY         the request id is not on the disk before it leaves
 *   DELTA_USAGE          usage is "that much more", booked as it comes, without numbers
 *   UNNAMED_CLOSE        a close does not say which lease
 *   NO_CLOSING_MARK      that a lease is closing is not on the disk before the account is told
 *   EXPIRY_TO_BALANCE    an expired lease's rest goes back to the balance at once
 *   NO_CHAIN             entries have numbers but no chain (so no hash in acknowledgements either), requests no epoch
 *   NO_EPOCH             the account goes on with a box that it has fenced
 *   NUMBER_ONLY_ACK      an acknowledgement tells a number, not the hash of the entry
 *   NO_INTENT            nothing is written before the modem gets the part
 *   RESEND_DOUBT         what a power cut interrupted is sent once more
 *   PARTIAL_BATCH        a batch is reserved part by part
 *   CHARGE_REFUSED       a refused part is charged
 *   NO_WITNESS           nothing outside the card counts
 *   SENDS_ONLY_WITNESS   the witness counts hand-overs but not starts
 *   ASK_ONCE             a request for a lease that was not answered is not repeated (with LIVE)
 *   BORROW_AGAIN         the box borrows again for a batch that did not fit in what it was lent (with LIVE)
 *   ANSWER_BEFORE_COMMIT the account answers, then commits
 *   SPLIT_BOOKING        the account moves its head and posts the credit in two transactions
 *   of successors:
 *   THIRD_LEASE          a successor is granted although the one before the open lease is not closed
 *   ANY_HEAD             a successor is granted whatever journal the asker has
 *   RELEASE_THEN_RESERVE what moves is released in one transaction and reserved in another: no lease counts it between them
 *   RESERVE_THEN_RELEASE the other way round: both count it
 *   CLOSE_ON_AIR         the lease before is closed although a part paid from it is on the air
 *   CLOSE_AND_FORGET     the box forgets the lease when it says close, not when it is answered
 *   DRAIN_LATER          the successor is opened in one transaction and the lease before is drained in another
 */
#ifndef FUND
#define FUND 3
#endif
#ifndef GRANT
#define GRANT 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef REQUESTS
#define REQUESTS 3
#endif
#ifndef IN_FLIGHT
#define IN_FLIGHT 2
#endif

/* Three parts, each costs one credit. Part 1 is a message by itself, parts 2 and 3 are one: paid and moved all or none. */
#define PARTS 3
#define QUEUED   0   /* accepted; no credit yet */
#define RESERVED 1
#define INTENT   2   /* about to be handed over: it may be out from here on */
#define SENT     3   /* charged */
#define HELD     4   /* nobody knows whether it is out: charged once, never sent again by itself */
#define STOPPED  5   /* an old image or a copy was found to run: a person decides */
#define REFUSED  6   /* known not to be out: not charged */

mtype = { LEASE, USAGE, CLOSE, GRANTED, NO_CREDIT, DIFFERS, UNCLOSED, ACK, CLOSED, FENCED };

/* The box has at most two leases: the newest, and the one before it. */
#define NEW 0
#define OLD 1
#define NONE     0
#define OPEN     1
#define DRAINING 2   /* nothing new is reserved in it; what is may still be sent */
#define EXPIRED  3   /* nothing is handed over; what was on the air still settles, what waits moves */
#define CLOSING  4   /* nothing is spent, whether or not the account heard of it */

typedef Card {
  byte epoch;
  byte lease[2], state[2], grant[2], reserved[2], captured[2];
  byte request, request_head, request_open;   /* what a lease is asked for with; written before it leaves, and said again the same */
  byte head;                                  /* last entry of the journal */
  byte acked;                                 /* number up to which the account has it */
  byte part[PARTS + 1];
  byte payer[PARTS + 1];                      /* the lease in which the part is reserved */
  byte mark;                                  /* what the witness showed last */
  bit starting                                /* the witness may be one start ahead of the mark */
#ifdef FREEZE
  ; byte command                              /* the last that was applied; odd: frozen */
#endif
};

#define BOX 0
#define COPY 1
#define IMAGE 2
#ifdef RESTORE
#define CARDS 3
#else
#ifdef CLONE
#define CARDS 2
#else
#define CARDS 1
#endif
#endif
Card card[CARDS];

/* The journal entries of all histories. A hash names an entry and all before it, so entries are told apart by their index here;
 * entry 0 is the empty journal. Nobody reads an entry that he was not shown. */
#if defined(CLONE) || defined(RESTORE)
#define ENTRIES 8
#else
#define ENTRIES 5
#endif
byte before[ENTRIES], number[ENTRIES], of_part[ENTRIES], of_lease[ENTRIES];
byte entries;
/* The entry with number k in the history that ends with e; k is not above e's own number. */
#define AT(e, k) (number[e] == (k) -> (e) : (number[before[e]] == (k) -> before[e] : \
  (number[before[before[e]]] == (k) -> before[before[e]] : 0)))

#if REQUESTS > 6
#define LEASES 8             /* also with those granted twice; more are not granted */
#define OF_ALL(x) (x(1) + x(2) + x(3) + x(4) + x(5) + x(6) + x(7) + x(8))
#elif REQUESTS > 3
#define LEASES 6
#define OF_ALL(x) (x(1) + x(2) + x(3) + x(4) + x(5) + x(6))
#else
#define LEASES 4
#define OF_ALL(x) (x(1) + x(2) + x(3) + x(4))
#endif

/* The account. Leases are numbered from 1; states are NONE (closed, or never granted), OPEN, EXPIRED (or fenced). */
byte available = FUND, captured, debt;
byte funded = FUND;
byte acct_epoch = 1, acct_lease, acct_head;
byte acct_state[LEASES + 1], acct_rest[LEASES + 1], acct_grant[LEASES + 1];
/* What was said to every request id there ever was (I7): the lease, or a refusal. */
#define SAID_NOTHING   0
#define SAID_NO_CREDIT 100
#define SAID_DIFFERS   101
#define SAID_UNCLOSED  102
byte said[REQUESTS + 1];
bit alarm;                   /* a person was called */
#ifdef FREEZE
byte acct_command;           /* odd: frozen */
#define TELLS , acct_command
#else
#define TELLS
#endif

/* The truth, which nobody sees. */
byte sends[PARTS + 1], charged[PARTS + 1];
byte witness[2];             /* a counter outside the card (in the SIM or modem), one a box */
byte ids;
byte crashes = CRASHES;
bit cloned, imaged, restored, revoked, told;
byte settled;
#define HONEST (!cloned && !restored && !revoked)
#define ALL_SENDS (sends[1] + sends[2] + sends[3])
#ifdef LIVE
#ifndef LOSSES
#define LOSSES 1
#endif
byte losses = LOSSES;
bit ended;
#define MAY_FAIL && losses > 0
#define LOSS losses--;
#else
#define MAY_FAIL
#define LOSS
#endif

chan up = [IN_FLIGHT] of { mtype, byte, byte, byte, byte, byte };   /* kind, box, epoch, name, head, open lease */
#ifdef FREEZE
chan down[CARDS] = [1] of { mtype, byte, byte, byte, byte, byte };  /* kind, three figures, head of the account, last command */
#else
chan down[CARDS] = [1] of { mtype, byte, byte, byte, byte };        /* kind, three figures, head of the account */
#endif

#define REST_OF(l) acct_rest[l]
#define IS_UNCLOSED(l) (acct_state[l] != NONE)
#define IS_SUSPENDED(l) (acct_state[l] == EXPIRED)
#define UNCLOSED_LEASES OF_ALL(IS_UNCLOSED)
/* I1, after each transaction of the account. */
#define CONSERVED assert(available + OF_ALL(REST_OF) + captured == funded)

/* ---- the account ------------------------------------------------------------------------------------------ */

/* Lost on its way, or (the queue is full) by a box that has given up waiting. */
inline answer(what, x, y, z) {
  if
  :: nfull(down[box]) -> down[box]!what(x, y, z, acct_head TELLS)
#ifdef LIVE
  :: losses > 0 -> losses--
  :: full(down[box]) -> skip
#else
  :: true -> skip
#endif
  fi
}

/* Two histories under one identity, or a box reported stolen: nothing more is lent or taken back under it. */
inline fence() {
  alarm = 1;
  acct_epoch++;
  k = 1;
  do
  :: k <= acct_lease ->
     if
     :: acct_state[k] == OPEN -> acct_state[k] = EXPIRED   /* its rest is in suspense */
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

inline found_out() {
#ifdef REACH_FENCE
  assert(false);     /* must fail: the fence is reached */
#endif
  assert(!HONEST);   /* I9 */
  fence();
  CONSERVED;
  answer(FENCED, 0, 0, 0)
}

inline book(x) {
#ifndef NO_CHAIN
  assert(epoch == acct_epoch);   /* I8 */
#endif
#ifdef SPLIT_BOOKING
  if
  :: crashes > 0 -> crashes--   /* the power went between the two */
  :: true ->
#endif
  if
  :: acct_rest[of_lease[x]] > 0 -> acct_rest[of_lease[x]]--; captured++   /* also from suspense */
#ifdef EXPIRY_TO_BALANCE
  :: acct_rest[of_lease[x]] == 0 -> captured++
#else
  :: else -> assert(!HONEST); debt++; alarm = 1   /* I9, I13: use of what was given back already */
#endif
  fi;
  charged[of_part[x]]++;
  assert(charged[of_part[x]] <= 1 || alarm)       /* I3 */
#ifdef SPLIT_BOOKING
  fi
#endif
}

/* POST /v1/usage. Each hash stands for all before it, so that one comparison is enough: what is shown must continue, or be a part
 * of, what the account holds. */
inline settle_usage() {
#ifdef DELTA_USAGE
  k = name;
#else
  k = number[acct_head];
#endif
  do
  :: k < number[head] ->
     k++;
     e = AT(head, k); book(e);
     if
     :: k > number[acct_head] -> acct_head = AT(head, k)   /* I7: only ever forward */
     :: else
     fi
  :: else -> break
  od;
  CONSERVED;
  answer(ACK, number[acct_head], 0, 0)
}

#ifdef NO_CHAIN
#define SAME_HEAD (number[head] == number[acct_head])
#define SAME_HISTORY true
#else
#define SAME_HISTORY (number[head] <= number[acct_head] -> AT(acct_head, number[head]) == head : AT(head, number[acct_head]) == acct_head)
#define SAME_HEAD (head == acct_head)
#endif

/* POST /v1/leases/{id}/close: the rest goes back by the box's own close of this lease, once all of its use is booked. */
inline close_lease() {
#ifdef UNNAMED_CLOSE
  k = 1;
  do
  :: k < acct_lease && acct_state[k] == NONE -> k++
  :: else -> break
  od;
  e = name;      /* so the box believes it of the one that it meant */
  name = k;
#endif
  if
  :: acct_state[name] == NONE -> answer(CLOSED, name, available, 0)      /* it was done before */
  :: acct_state[name] != NONE && !SAME_HEAD -> answer(DIFFERS, 0, 0, 0)
  :: acct_state[name] != NONE && SAME_HEAD ->
     available = available + acct_rest[name]; acct_rest[name] = 0; acct_state[name] = NONE;
     CONSERVED;
#ifdef UNNAMED_CLOSE
     name = e;
#endif
     answer(CLOSED, name, available, 0)
  fi
}

/* No lease but the one that is named may be unclosed, and that is the last one that was granted (or none is, and none is named). */
#ifdef THIRD_LEASE
#define MAY_FOLLOW (open_lease == 0 && UNCLOSED_LEASES == 0 || open_lease != 0 && open_lease == acct_lease)
#else
#define MAY_FOLLOW (open_lease == 0 && UNCLOSED_LEASES == 0 || \
  open_lease != 0 && open_lease == acct_lease && UNCLOSED_LEASES == IS_UNCLOSED(open_lease))
#endif
#ifdef ANY_HEAD
#define MAY_HAVE true
#else
#define MAY_HAVE SAME_HEAD
#endif

/* POST /v1/leases with a new id. */
inline lend() {
  if
  :: acct_lease == LEASES -> goto next          /* the bound of the model */
  :: acct_lease < LEASES && !MAY_HAVE ->
     said[name] = SAID_DIFFERS;
     answer(DIFFERS, name, 0, 0)
#ifndef NO_REQUEST_ID
  :: acct_lease < LEASES && MAY_HAVE && !MAY_FOLLOW ->
     assert(!HONEST || name != card[BOX].request);   /* I9: an honest box never meets a lease that it does not hold */
     said[name] = SAID_UNCLOSED;
     answer(UNCLOSED, name, 0, 0)
  :: acct_lease < LEASES && MAY_HAVE && MAY_FOLLOW && available == 0 ->
#else
  :: acct_lease < LEASES && MAY_HAVE && available == 0 ->
#endif
#ifndef FORGET_REFUSAL
     said[name] = SAID_NO_CREDIT;
#endif
     answer(NO_CREDIT, name, 0, 0)
#ifndef NO_REQUEST_ID
  :: acct_lease < LEASES && MAY_HAVE && MAY_FOLLOW && available > 0 ->
#else
  :: acct_lease < LEASES && MAY_HAVE && available > 0 ->
#endif
     k = (available < GRANT -> available : GRANT);
#ifdef ANSWER_BEFORE_COMMIT
     answer(GRANTED, name, acct_lease + 1, k);
     if
     :: crashes > 0 -> crashes--; goto next   /* answered, but never written */
     :: true -> skip
     fi;
#endif
#ifndef NO_CHAIN
     assert(epoch == acct_epoch);   /* I8 */
     /* I10: once a history shows itself to be another one, nothing more is lent to it. */
     assert(SAME_HISTORY);
#endif
     available = available - k;
     acct_lease++;
     acct_rest[acct_lease] = k; acct_grant[acct_lease] = k; acct_state[acct_lease] = OPEN;
     said[name] = acct_lease;
     CONSERVED;
     assert(UNCLOSED_LEASES <= 2);   /* I10: what a box can have at once is two grants */
#ifndef ANSWER_BEFORE_COMMIT
     answer(GRANTED, name, acct_lease, k)
#endif
  fi
}

#ifdef EXPIRE
inline expire_lease() {
#ifdef EXPIRY_TO_BALANCE
  available = available + acct_rest[k]; acct_rest[k] = 0; acct_state[k] = NONE;
#else
  acct_state[k] = EXPIRED;     /* its rest is in suspense now (rule 5) */
#endif
  k = 0;
  CONSERVED
}
#endif

proctype Account() {
  mtype kind;
  byte box, epoch, name, head, open_lease, k, e;
end:
  do
  :: atomic { up?kind(box, epoch, name, head, open_lease) ->
     if
#ifdef LIVE
     :: losses > 0 -> losses--; goto next                                        /* lost */
     :: losses > 0 && nfull(up) -> losses--; up!kind(box, epoch, name, head, open_lease)
     :: losses > 0 && nfull(up) -> losses--; up!kind(box, epoch, name, head, open_lease); goto next
#else
     :: goto next                                                                /* lost */
#ifndef NO_DOUBLES
     :: nfull(up) -> up!kind(box, epoch, name, head, open_lease)                 /* doubled: once now, once later */
     :: nempty(up) && nfull(up) -> up!kind(box, epoch, name, head, open_lease); goto next   /* overtaken */
#endif
#endif
     :: true -> skip
     fi;
#if !defined(NO_CHAIN) && !defined(NO_EPOCH)
     if
     :: epoch != acct_epoch -> assert(!HONEST); answer(FENCED, 0, 0, 0); goto next   /* I8, I9 */
     :: else
     fi;
#endif
     if
     :: kind == CLOSE -> close_lease()
#ifndef NO_CHAIN
     :: kind == USAGE && !SAME_HISTORY -> found_out()
#endif
     :: kind == USAGE && SAME_HISTORY -> settle_usage()
#ifdef NO_REQUEST_ID
     :: kind == LEASE -> lend()
#else
#ifdef FREEZE
     :: kind == LEASE && said[name] == SAID_NOTHING && acct_command % 2 == 1 -> answer(UNCLOSED, 0, 0, 0)   /* frozen: asked again later */
     :: kind == LEASE && said[name] == SAID_NOTHING && acct_command % 2 == 0 -> lend()
#else
     :: kind == LEASE && said[name] == SAID_NOTHING -> lend()
#endif
     /* The same id has the same answer for ever (I7), whatever became of the lease. */
     :: kind == LEASE && said[name] == SAID_NO_CREDIT -> answer(NO_CREDIT, name, 0, 0)
     :: kind == LEASE && said[name] == SAID_DIFFERS -> answer(DIFFERS, name, 0, 0)
     :: kind == LEASE && said[name] == SAID_UNCLOSED -> answer(UNCLOSED, name, 0, 0)
     :: kind == LEASE && said[name] != SAID_NOTHING && said[name] <= LEASES -> answer(GRANTED, name, said[name], acct_grant[said[name]])
#endif
     fi;
next:
     kind = 0; box = 0; epoch = 0; name = 0; head = 0; open_lease = 0; k = 0; e = 0 }
#ifdef EXPIRE
  :: atomic { acct_lease > 0 && acct_state[acct_lease] == OPEN MAY_FAIL -> LOSS k = acct_lease; expire_lease() }
  :: atomic { acct_lease > 1 && acct_state[acct_lease - 1] == OPEN MAY_FAIL -> LOSS k = acct_lease - 1; expire_lease() }
#endif
#ifdef REVOKE
  :: atomic { !revoked -> revoked = 1; fence(); CONSERVED }
#endif
#ifdef FREEZE
  :: atomic { acct_command < FREEZE -> acct_command++ }
#endif
#ifdef TOP_UP
  :: atomic { funded == FUND -> funded = FUND + TOP_UP; available = available + TOP_UP; CONSERVED }
#endif
  od
}

/* ---- the box ---------------------------------------------------------------------------------------------- */

#define MINE card[me]
#define FREE (MINE.grant[NEW] - MINE.reserved[NEW] - MINE.captured[NEW])
#define WANTS (MINE.part[1] == QUEUED || MINE.part[2] == QUEUED || MINE.part[3] == QUEUED)
#define UNDER_WAY(m) (MINE.part[m] == RESERVED || MINE.part[m] == INTENT)
#define BUSY_SENDING (UNDER_WAY(1) || UNDER_WAY(2) || UNDER_WAY(3))
#define IN_DOUBT (MINE.part[1] == INTENT || MINE.part[2] == INTENT || MINE.part[3] == INTENT)
#ifdef FREEZE
#define FROZEN (MINE.command % 2 == 1)
#else
#define FROZEN false
#endif
#define MAY_RESERVE (MINE.state[NEW] == OPEN && !FROZEN)
#ifdef SINGLES
#define CAN_RESERVE (WANTS && FREE >= 1)
#else
#define CAN_RESERVE ((MINE.part[1] == QUEUED && FREE >= 1) || \
  ((MINE.part[2] == QUEUED || MINE.part[3] == QUEUED) && FREE >= (MINE.part[2] == QUEUED) + (MINE.part[3] == QUEUED)))
#endif

inline copy_card(to, from) {
  card[to].epoch = card[from].epoch;
  card[to].lease[0] = card[from].lease[0]; card[to].state[0] = card[from].state[0]; card[to].grant[0] = card[from].grant[0];
  card[to].reserved[0] = card[from].reserved[0]; card[to].captured[0] = card[from].captured[0];
  card[to].lease[1] = card[from].lease[1]; card[to].state[1] = card[from].state[1]; card[to].grant[1] = card[from].grant[1];
  card[to].reserved[1] = card[from].reserved[1]; card[to].captured[1] = card[from].captured[1];
  card[to].request = card[from].request; card[to].request_head = card[from].request_head; card[to].request_open = card[from].request_open;
  card[to].head = card[from].head; card[to].acked = card[from].acked;
  card[to].part[1] = card[from].part[1]; card[to].part[2] = card[from].part[2]; card[to].part[3] = card[from].part[3];
  card[to].payer[1] = card[from].payer[1]; card[to].payer[2] = card[from].payer[2]; card[to].payer[3] = card[from].payer[3];
  card[to].mark = card[from].mark; card[to].starting = card[from].starting
#ifdef FREEZE
  ; card[to].command = card[from].command
#endif
}

/* In which of the two leases the part is reserved. */
#define PLACE(m) (MINE.payer[m] == MINE.lease[OLD] && MINE.lease[OLD] != 0 -> OLD : NEW)
#define PAID_FROM(m, place) (MINE.payer[m] != 0 && MINE.payer[m] == MINE.lease[place])

/* I2 on every lease of the card: 0 <= r, 0 <= c, r + c <= G. */
#define WITHIN_GRANTS assert(MINE.reserved[NEW] + MINE.captured[NEW] <= MINE.grant[NEW] && MINE.reserved[OLD] + MINE.captured[OLD] <= MINE.grant[OLD])
/* I1 on the card: what is reserved in a lease is what its parts hold. Not where that is what was left out: there the harm is to be seen. */
#define HOLDS_OF(place) (PAID_FROM(1, place) + PAID_FROM(2, place) + PAID_FROM(3, place))
#if defined(RELEASE_THEN_RESERVE) || defined(RESERVE_THEN_RELEASE) || defined(CLOSE_ON_AIR)
#define BALANCED skip
#else
#define BALANCED assert(MINE.reserved[NEW] == HOLDS_OF(NEW) && MINE.reserved[OLD] == HOLDS_OF(OLD))
#endif

inline reserve(m) { MINE.part[m] = RESERVED; MINE.payer[m] = MINE.lease[NEW]; MINE.reserved[NEW]++ }

/* What was reserved in `place` is not any more. */
inline unreserve(m, place) {
  if
  :: PAID_FROM(m, place) -> assert(MINE.reserved[place] > 0); MINE.reserved[place]--   /* I2 */
  :: else -> skip                            /* its lease is gone */
  fi
}

/* One transaction: the entry, the state of its part, and the books of its lease. */
inline charge(m, what) {
  entries++;
  before[entries] = MINE.head; number[entries] = number[MINE.head] + 1;
  of_part[entries] = m; of_lease[entries] = MINE.payer[m];
  MINE.head = entries;
  if
  :: PAID_FROM(m, PLACE(m)) ->
     assert(MINE.reserved[PLACE(m)] > 0);    /* I2 */
     MINE.captured[PLACE(m)]++; MINE.reserved[PLACE(m)]--
  :: else -> skip                            /* its lease is gone */
  fi;
  MINE.payer[m] = 0;
  MINE.part[m] = what
}

inline forget_lease(place) {
  MINE.lease[place] = 0; MINE.state[place] = NONE; MINE.grant[place] = 0; MINE.reserved[place] = 0; MINE.captured[place] = 0
}

/* The newest becomes the one before. */
inline make_old(as) {
  MINE.lease[OLD] = MINE.lease[NEW]; MINE.grant[OLD] = MINE.grant[NEW]; MINE.reserved[OLD] = MINE.reserved[NEW];
  MINE.captured[OLD] = MINE.captured[NEW]; MINE.state[OLD] = as;
  forget_lease(NEW)
}

/* Opening a lease: the one before drains from the same moment on. */
inline open_lease_granted() {
  if
  :: MINE.lease[NEW] != 0 ->
#ifdef REACH_AIR
     assert(!IN_DOUBT);        /* must fail */
#endif
#ifdef DRAIN_LATER
     forget_lease(NEW)         /* its row is there, and nobody will look for it after a power cut */
#else
     make_old((MINE.state[NEW] == OPEN -> DRAINING : MINE.state[NEW]))
#endif
  :: else
  fi;
  MINE.lease[NEW] = y; MINE.grant[NEW] = z; MINE.state[NEW] = OPEN;
  MINE.request = 0; MINE.request_head = 0; MINE.request_open = 0
}

/* -- moving what waits: all parts of a message that are still reserved in the lease before, none of which is on the air */
#define WAITS_IN_OLD(m) (MINE.part[m] == RESERVED && PAID_FROM(m, OLD) && on_air != m)
#define PARTS_IN_OLD(m) (WAITS_IN_OLD(m) + (m == 2 && WAITS_IN_OLD(3)))
#ifdef SINGLES
#define MOVABLE(m) WAITS_IN_OLD(m)
#define COUNT_OF(m) 1
#else
#define MOVABLE(m) ((m == 1 && WAITS_IN_OLD(1)) || (m == 2 && (WAITS_IN_OLD(2) || WAITS_IN_OLD(3)) && MINE.part[2] != INTENT && MINE.part[3] != INTENT))
#define COUNT_OF(m) (m == 1 -> 1 : WAITS_IN_OLD(2) + WAITS_IN_OLD(3))
#endif
#define CAN_MOVE(m) (MOVABLE(m) && (MINE.state[OLD] == DRAINING || MINE.state[OLD] == EXPIRED) && MAY_RESERVE && FREE >= COUNT_OF(m))
#define MUST_WAIT(m) (MOVABLE(m) && MINE.state[OLD] == EXPIRED && MAY_RESERVE && FREE < COUNT_OF(m))

inline move_part(m) {
  if
  :: WAITS_IN_OLD(m) -> unreserve(m, OLD); reserve(m)
  :: else
  fi
}
inline wait_part(m) {
  if
  :: WAITS_IN_OLD(m) -> unreserve(m, OLD); MINE.part[m] = QUEUED; MINE.payer[m] = 0
  :: else
  fi
}

/* Its reservation is released. */
inline give_up(m, what) {
  if
  :: MINE.part[m] == RESERVED -> unreserve(m, PLACE(m)); MINE.part[m] = what; MINE.payer[m] = 0
  :: MINE.part[m] == QUEUED -> MINE.part[m] = what
  :: else
  fi
}

/* What was waiting does not go out from an image that is behind the world. */
inline stop_all() {
  alarm = 1;
  m = 1;
  do
  :: m <= PARTS ->
     if
     :: MINE.part[m] == QUEUED || MINE.part[m] == RESERVED -> MINE.part[m] = STOPPED
     :: else
     fi;
     m++
  :: else -> break
  od;
  m = 0
}

/* A part may go to the modem: I5, the intent is on the disk before. One modem, so one at a time. */
#define STATE_OF_PAYER(m) (PAID_FROM(m, OLD) -> MINE.state[OLD] : (PAID_FROM(m, NEW) -> MINE.state[NEW] : NONE))
#define MAY_SEND(m) (on_air == 0 && MINE.part[m] == RESERVED && !FROZEN && (STATE_OF_PAYER(m) == OPEN || STATE_OF_PAYER(m) == DRAINING))
#ifdef NO_INTENT
#define INTEND(m) on_air = m
#else
#define INTEND(m) on_air = m; MINE.part[m] = INTENT
#endif

inline power_cut() {
  if
  :: crashes > 0 -> crashes--; goto boot
  :: true -> skip
  fi
}

#ifdef NO_CLOSING_MARK
inline swap_back() {
  MINE.lease[NEW] = MINE.lease[OLD]; MINE.grant[NEW] = MINE.grant[OLD]; MINE.captured[NEW] = MINE.captured[OLD];
  MINE.state[NEW] = OPEN;
  forget_lease(OLD)
}
#endif

#ifdef REACH_MOVE
inline moved() { assert(false) }   /* must fail */
#else
inline moved() { BALANCED }
#endif

#ifdef REACH_BOTH
#define EXPOSURE GRANT             /* must fail: a copy may have two */
#else
#define EXPOSURE (2 * GRANT)
#endif

#ifdef FREEZE
#define HEARS , n
#else
#define HEARS
#endif

proctype Box(byte me) {
  mtype kind;
  byte x, y, z, theirs, m, n;
  byte on_air;                 /* the part that the modem has; gone: it is out of our hands */
  bit gone;
  bit waiting;                 /* for credit: not worth asking until somebody says there is more */
  bit tell;                    /* the account has another head: usage is told even if there is none */
#ifdef ASK_ONCE
  bit asked;
#endif
#ifdef RELEASE_THEN_RESERVE
  byte moving;
#endif
boot:
  atomic {
    waiting = 0; m = 0; on_air = 0; gone = 0; tell = 0;
#ifdef RELEASE_THEN_RESERVE
    moving = 0;
#endif
    do   /* answers on their way find nobody */
    :: nempty(down[me]) -> down[me]?kind(x, y, z, theirs HEARS)
    :: empty(down[me]) -> break
    od;
    kind = 0; x = 0; y = 0; z = 0; theirs = 0; n = 0;
#ifdef ID_IN_MEMORY
    MINE.request = 0; MINE.request_head = 0; MINE.request_open = 0;
#endif
#ifdef NO_CLOSING_MARK
    if   /* as if it had not been closing */
    :: MINE.state[OLD] == CLOSING && MINE.lease[NEW] == 0 -> swap_back()
    :: MINE.state[OLD] == CLOSING && MINE.lease[NEW] != 0 -> MINE.state[OLD] = DRAINING
    :: else
    fi;
#endif
#if !defined(NO_WITNESS) && !defined(CLONE)
    /* Ahead by more than what a power cut can hide (one hand-over, or one start): this card was elsewhere meanwhile.
     * The witness knows nothing of a copy that runs with a SIM and a modem of its own, so CLONE is without it. */
    if
    :: witness[me] > MINE.mark + (MINE.starting || IN_DOUBT) -> assert(!HONEST || revoked); stop_all()   /* I9 */
    :: else
    fi;
#endif
    m = 1;
    do
    :: m <= PARTS ->
       if
#ifdef RESEND_DOUBT
       :: MINE.part[m] == INTENT -> MINE.part[m] = RESERVED
#else
       :: MINE.part[m] == INTENT -> charge(m, HELD)
#endif
       :: else
       fi;
       m++
    :: else -> break
    od;
    m = 0;
#if defined(SENDS_ONLY_WITNESS) || defined(CLONE)
    MINE.mark = witness[me]
  };
#else
    MINE.mark = witness[me]; MINE.starting = 1
  };
  power_cut();
  witness[me]++;   /* every start leaves its mark outside the card, before anything is sent */
  power_cut();
  atomic { MINE.mark = witness[me]; MINE.starting = 0 };
#endif

endbox:
  do
  /* -- a lease: only when all that was charged is known to the account, and there is room for one; the id is on the disk before it
   * leaves. With one in hand, when half of it is spent or reserved, or its time is over. */
#ifdef THIRD_LEASE
#define ROOM (MINE.lease[OLD] == 0 || MINE.lease[NEW] != 0)
#else
#define ROOM (MINE.lease[OLD] == 0)
#endif
  :: atomic { MINE.request == 0 && ROOM && MINE.acked == number[MINE.head] && !waiting && ids < REQUESTS &&
              (MINE.lease[NEW] == 0 && WANTS || MINE.lease[NEW] != 0 && (WANTS || MINE.reserved[NEW] > 0) &&
               (MINE.state[NEW] == EXPIRED || 2 * (MINE.reserved[NEW] + MINE.captured[NEW]) >= MINE.grant[NEW])) ->
       ids++; MINE.request = ids; MINE.request_head = MINE.head; MINE.request_open = MINE.lease[NEW] }
#ifdef TOP_UP
  :: atomic { waiting && funded > FUND && !told -> told = 1; waiting = 0 }
#endif
#ifdef LIVE
#define LINE_FREE (empty(up) && empty(down[me]))   /* one request at a time, and its answer is read */
#else
#define LINE_FREE nfull(up)
#endif
#ifdef ASK_ONCE
  :: atomic { MINE.request != 0 && !asked && LINE_FREE -> asked = 1;
       up!LEASE(me, MINE.epoch, MINE.request, MINE.request_head, MINE.request_open) }
#else
  :: atomic { MINE.request != 0 && LINE_FREE -> up!LEASE(me, MINE.epoch, MINE.request, MINE.request_head, MINE.request_open) }
#endif

  /* -- reserve */
  :: atomic { MAY_RESERVE && MINE.part[1] == QUEUED && FREE >= 1 -> reserve(1) }
#if defined(PARTIAL_BATCH) || defined(SINGLES)
  :: atomic { MAY_RESERVE && MINE.part[2] == QUEUED && FREE >= 1 -> reserve(2) }
  :: atomic { MAY_RESERVE && MINE.part[3] == QUEUED && FREE >= 1 -> reserve(3) }
#else
  :: atomic { MAY_RESERVE && MINE.part[2] == QUEUED && MINE.part[3] == QUEUED && FREE >= 2 -> reserve(2); reserve(3) }
  :: atomic { MAY_RESERVE && MINE.part[2] == QUEUED && MINE.part[3] != QUEUED && FREE >= 1 -> reserve(2) }   /* it waited again */
  :: atomic { MAY_RESERVE && MINE.part[2] != QUEUED && MINE.part[3] == QUEUED && FREE >= 1 -> reserve(3) }
#endif

  /* -- what waits in the lease before moves, whole messages; what does not fit waits for credits where the time is over */
#ifdef RELEASE_THEN_RESERVE
  :: atomic { moving == 0 && CAN_MOVE(1) -> unreserve(1, OLD); moving = 1 }
  :: atomic { moving == 1 -> moving = 0; reserve(1) }
#elif defined(RESERVE_THEN_RELEASE)
  :: atomic { CAN_MOVE(1) -> MINE.reserved[NEW]++ }
     power_cut();
     atomic { unreserve(1, OLD); MINE.payer[1] = MINE.lease[NEW] }
#else
  :: atomic { CAN_MOVE(1) -> move_part(1); moved() }
#endif
  :: atomic { MUST_WAIT(1) -> wait_part(1) }
#ifdef SINGLES
  :: atomic { CAN_MOVE(2) -> move_part(2); moved() }
  :: atomic { CAN_MOVE(3) -> move_part(3); moved() }
  :: atomic { MUST_WAIT(2) -> wait_part(2) }
  :: atomic { MUST_WAIT(3) -> wait_part(3) }
#else
  :: atomic { CAN_MOVE(2) -> move_part(2); move_part(3); moved() }
  :: atomic { MUST_WAIT(2) -> wait_part(2); wait_part(3) }
#endif

  /* -- send: the intent, the hand-over, the outcome */
#ifdef SINGLES
#define WHOLE skip
#else
#define WHOLE assert(MINE.part[2] != QUEUED && MINE.part[3] != QUEUED)   /* I6 */
#endif
  :: atomic { MAY_SEND(1) -> INTEND(1) }
  :: atomic { MAY_SEND(2) -> WHOLE; INTEND(2) }
  :: atomic { MAY_SEND(3) -> WHOLE; INTEND(3) }
  :: atomic { on_air != 0 && !gone ->
       sends[on_air]++; witness[me]++; gone = 1;   /* Ctrl-Z */
       /* I10: each copy beyond the first can spend two grants that nobody paid for: the open lease and the one before. */
       assert(ALL_SENDS <= funded + cloned * EXPOSURE);
       assert(sends[on_air] <= 1 || cloned) }      /* I5: nothing goes out twice */
#ifdef REFUSE
  :: atomic { on_air != 0 && !gone ->
#ifdef CHARGE_REFUSED
       charge(on_air, REFUSED);
#else
       unreserve(on_air, PLACE(on_air)); MINE.payer[on_air] = 0; MINE.part[on_air] = REFUSED;
#endif
       on_air = 0 }
#endif
  :: atomic { on_air != 0 && gone -> charge(on_air, SENT); MINE.mark = witness[me]; on_air = 0; gone = 0; WITHIN_GRANTS; BALANCED }
#ifdef LAPSE
  /* -- the time of a message is over: what is not on the air is given up, and costs nothing (I12) */
  :: atomic { (MINE.part[1] == RESERVED || MINE.part[1] == QUEUED) && on_air != 1 -> give_up(1, REFUSED) }
  :: atomic { (MINE.part[2] == RESERVED || MINE.part[2] == QUEUED || MINE.part[3] == RESERVED || MINE.part[3] == QUEUED) &&
              on_air != 2 && on_air != 3 -> give_up(2, REFUSED); give_up(3, REFUSED) }
#endif

#ifdef EXPIRE
  /* -- its clock says that the time is over */
  :: atomic { MINE.state[NEW] == OPEN MAY_FAIL -> LOSS MINE.state[NEW] = EXPIRED }
  :: atomic { MINE.state[OLD] == DRAINING MAY_FAIL -> LOSS MINE.state[OLD] = EXPIRED }
#endif

  /* -- close: the mark first, then the account is told. The one before when nothing is reserved in it; the newest when it is of no
   * more use, and there is none before it. */
#ifdef CLOSE_ON_AIR
#define EMPTY_OLD !(MINE.part[1] == RESERVED && PAID_FROM(1, OLD)) && !(MINE.part[2] == RESERVED && PAID_FROM(2, OLD)) && \
  !(MINE.part[3] == RESERVED && PAID_FROM(3, OLD))
#else
#define EMPTY_OLD MINE.reserved[OLD] == 0
#endif
#ifdef GIVE_BACK
#define IN_NO_NEED true
#else
#define IN_NO_NEED !CAN_RESERVE
#endif
  :: atomic { (MINE.state[OLD] == DRAINING || MINE.state[OLD] == EXPIRED) && EMPTY_OLD -> MINE.state[OLD] = CLOSING; BALANCED }
  :: atomic { MINE.lease[OLD] == 0 && MINE.lease[NEW] != 0 && MINE.reserved[NEW] == 0 && (MINE.state[NEW] == EXPIRED || IN_NO_NEED) ->
       make_old(CLOSING); BALANCED }
  :: atomic { MINE.state[OLD] == CLOSING && MINE.acked == number[MINE.head] && !tell && LINE_FREE ->
       up!CLOSE(me, MINE.epoch, MINE.lease[OLD], MINE.head, 0)
#ifdef CLOSE_AND_FORGET
       ; forget_lease(OLD)
#endif
     }

  /* -- usage, as often as it takes */
#ifdef DELTA_USAGE
#define USAGE_NAME MINE.acked   /* "all after this" */
#else
#define USAGE_NAME 0
#endif
  :: atomic { (number[MINE.head] > MINE.acked || tell || FROZEN) && LINE_FREE -> up!USAGE(me, MINE.epoch, USAGE_NAME, MINE.head, 0) }

  /* -- answers */
  :: atomic { down[me]?kind(x, y, z, theirs HEARS) ->
#ifdef FREEZE
       if
       :: n > MINE.command -> MINE.command = n   /* with its number: an old one changes nothing */
       :: else
       fi;
#endif
       if
       :: kind == GRANTED && x == MINE.request && x != 0 && (MINE.lease[NEW] == 0 || MINE.lease[OLD] == 0) -> open_lease_granted()
       :: kind == NO_CREDIT && x == MINE.request -> waiting = 1; MINE.request = 0; MINE.request_head = 0; MINE.request_open = 0
       :: (kind == DIFFERS || kind == UNCLOSED) && x == MINE.request && x != 0 ->
          MINE.request = 0; MINE.request_head = 0; MINE.request_open = 0; tell = 1
       :: kind == DIFFERS && x == 0 -> tell = 1
       :: kind == FENCED -> assert(!HONEST); stop_all(); goto halt
       :: kind == ACK && x > number[MINE.head] ->       /* the account knows more of us than we do */
          assert(!HONEST); stop_all(); goto halt
#if !defined(NUMBER_ONLY_ACK) && !defined(NO_CHAIN)
       :: kind == ACK && x <= number[MINE.head] && theirs != AT(MINE.head, x) ->   /* acknowledged, but not ours */
          assert(!HONEST); stop_all(); goto halt
       :: kind == ACK && x <= number[MINE.head] && theirs == AT(MINE.head, x) ->
#else
       :: kind == ACK && x <= number[MINE.head] ->
#endif
          tell = 0;
          if
          :: x > MINE.acked -> MINE.acked = x
          :: else
          fi
       :: kind == CLOSED && x == MINE.lease[OLD] && MINE.state[OLD] == CLOSING ->
#ifndef BORROW_AGAIN
          /* All of it came back and something still waits: what waits is larger than what is lent. Borrowing the same again
           * would never end. */
          waiting = (MINE.captured[OLD] == 0 && (y <= MINE.grant[OLD] || MINE.grant[OLD] >= GRANT));
#endif
          forget_lease(OLD)
       :: else -> skip   /* to a question that is no longer asked */
       fi;
       WITHIN_GRANTS;
       BALANCED;
       kind = 0; x = 0; y = 0; z = 0; theirs = 0; m = 0; n = 0 }

  /* -- the power goes, and what is not on the card with it */
#if CRASHES > 0
  :: atomic { crashes > 0 -> crashes--; goto boot }
#endif
#ifdef RESTORE
  :: atomic { imaged && !restored -> restored = 1; copy_card(BOX, IMAGE); goto boot }
#endif

  /* -- nothing left to do */
#ifdef RESTORE
#define MAY_END (restored || !imaged)
#else
#define MAY_END true
#endif
  :: atomic { (!WANTS || waiting) && !BUSY_SENDING && MINE.lease[NEW] == 0 && MINE.lease[OLD] == 0 && MINE.request == 0 &&
              MINE.acked == number[MINE.head] && MAY_END ->
       settled++;
       if
       :: HONEST ->
          assert(!alarm);                                                        /* I9 */
          assert(UNCLOSED_LEASES == 0 && OF_ALL(REST_OF) == 0 && debt == 0);     /* I13 */
          assert(captured == number[MINE.head]);                                 /* I13 */
          m = 1;
          do
          :: m <= PARTS ->
             assert(MINE.part[m] == QUEUED || MINE.part[m] == SENT || MINE.part[m] == HELD || MINE.part[m] == REFUSED);   /* I4 */
             assert(charged[m] == (MINE.part[m] == SENT || MINE.part[m] == HELD));   /* I3, I12 */
             assert(sends[m] == 0 || charged[m] == 1);                               /* I5: nothing went out unrecorded */
             m++
          :: else -> break
          od;
          m = 0;
#ifdef REACH
          assert(WANTS)        /* must fail: runs to the end exist */
#endif
       :: else ->
          /* I10: what all copies together sent is booked, or somebody was told. */
          assert(settled < 1 + cloned || ALL_SENDS <= captured + debt || alarm);
#ifdef REACH
          assert(settled < 1 + cloned)
#endif
       fi;
       goto halt }
  od;
halt:
#ifdef LIVE
  ended = 1
#else
  skip
#endif
}

#ifdef CLONE
proctype Thief() { atomic { copy_card(COPY, BOX); cloned = 1; run Box(COPY) } }
#endif
#ifdef RESTORE
proctype Keeper() { atomic { copy_card(IMAGE, BOX); imaged = 1 } }
#endif

init {
  atomic {
    card[BOX].epoch = 1;
    run Account();
    run Box(BOX);
#ifdef CLONE
    run Thief();
#endif
#ifdef RESTORE
    run Keeper();
#endif
  }
}

#ifdef LIVE
/* I4: once faults are over, the books close; nobody asks for ever. */
ltl settles { <> ended }
#endif
