/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.pml - credit that an account lends to a box which sends without a network, and how the two settle.
 *
 * A box takes a lease, reserves for its messages, hands parts to a modem, keeps a chained journal of what it charged,
 * reports it, and gives the rest back. README.md beside this says what is left out, how to run it and what came of it.
 * Ix are the invariants listed there. Everything that survives a power cut is in Card (the box) or acct_* (the account).
 *
 * Always on: requests lost, doubled, delayed, overtaking each other; answers lost or late; the box's power cut between
 * any two durable steps. The account handles a request in one transaction: its power cut before the commit is a request
 * lost, after it an answer lost.
 *
 * What else may happen, by -D:
 *   CLONE     the card is copied once, at any moment, and both copies run, each in a box of its own
 *   RESTORE   an image of the card is made at any moment and written back at any later one
 *   EXPIRE    the account finds a lease expired at any moment; the box, whose clock is wrong, goes on
 *   REFUSE    the network refuses a part, and the modem says so
 *   TOP_UP    the account is given TOP_UP credits more, once, at any moment
 *   LIVE      faults come to an end (LOSSES), so that a run has to come to an end as well (ltl settles)
 * Bounds: FUND, GRANT, CRASHES, REQUESTS (leases asked for), IN_FLIGHT (requests on their way), NO_DOUBLES (a request
 * is not doubled or delayed).
 *
 * That the search sees what it should: REACH (a run to its end) and REACH_FENCE (two histories found out) must fail.
 *
 * Left out on purpose, each of which must be found out:
 *   NO_REQUEST_ID        a request for a lease has no id: asked twice, granted twice
 *   LAST_REQUEST_ONLY    the account remembers the last id alone, not all
 *   FORGET_REFUSAL       a request refused for want of credit is forgotten, so that a copy of it may be granted later
 *   DELTA_USAGE          usage is "that much more", booked as it comes, without numbers
 *   UNNAMED_CLOSE        a close does not say which lease
 *   NO_CLOSING_MARK      the box may still spend after it asked to close
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
#define REQUESTS 4
#endif
#ifndef IN_FLIGHT
#define IN_FLIGHT 2
#endif

/* Three parts: part 1 is a message by itself, parts 2 and 3 are a batch, paid all or none. Each costs one credit. */
#define PARTS 3
#define QUEUED   0   /* accepted; no credit yet */
#define RESERVED 1
#define INTENT   2   /* about to be handed over: it may be out from here on */
#define SENT     3   /* charged */
#define HELD     4   /* nobody knows whether it is out: charged once, never sent again by itself */
#define STOPPED  5   /* an old image was found to run: a person decides */
#define REFUSED  6   /* known not to be out: not charged */

mtype = { LEASE, USAGE, GRANTED, BUSY, NO_CREDIT, OVER, ACK, FENCED };

typedef Card {
  byte epoch;
  byte lease, grant, used;   /* used: reserved and charged together; I2 is used <= grant */
  byte request;              /* id of the lease asked for; written before it leaves */
  bit closing;               /* nothing is spent from this lease any more */
  byte head;                 /* last entry of the journal */
  byte acked;                /* number up to which the account has it */
  byte part[PARTS + 1];
  byte mark;                 /* what the witness showed last */
  bit starting               /* the witness may be one start ahead of the mark */
};

#define BOX 0
#define COPY 1
#define IMAGE 2
#ifdef RESTORE
#define CARDS 3
#else
#define CARDS 2
#endif
Card card[CARDS];

/* The journal entries of all histories. A hash names an entry and all before it, so entries are told apart by their
 * index here; entry 0 is the empty journal. Nobody reads an entry that he was not shown. */
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

/* The account. */
#define NONE 0
#define OPEN 1
#define EXPIRED 2            /* or fenced: its rest is in suspense */
byte available = FUND, leased, suspense, captured, debt;
byte funded = FUND;
byte acct_epoch = 1, acct_lease, acct_state, acct_grant, acct_request, acct_head;
#define NEVER_SEEN 0
#define WAS_GRANTED 1
#define WAS_REFUSED 2
byte verdict[REQUESTS + 1];  /* of every request id there ever was (I7) */
bit alarm;                   /* a person was called */

/* The truth, which nobody sees. */
byte sends[PARTS + 1], charged[PARTS + 1];
byte witness[2];             /* a counter outside the card (in the SIM or modem), one a box */
byte ids;
byte crashes = CRASHES;
bit cloned, imaged, restored, told;
byte settled;
#define HONEST (!cloned && !restored)
#define ALL_SENDS (sends[1] + sends[2] + sends[3])
#ifdef LIVE
#ifndef LOSSES
#define LOSSES 1
#endif
byte losses = LOSSES;
bit ended;
#endif

chan up = [IN_FLIGHT] of { mtype, byte, byte, byte, byte, bit };   /* kind, box, epoch, name, head, closing */
chan down[2] = [1] of { mtype, byte, byte, byte, byte };           /* kind, three figures, head of the account */

/* I1, after each transaction of the account. */
#define CONSERVED assert(available + leased + suspense + captured == funded)

/* ---- the account ------------------------------------------------------------------------------------------ */

/* Lost on its way, or (the queue is full) by a box that has given up waiting. */
inline answer(what, x, y, z) {
  if
  :: nfull(down[box]) -> down[box]!what(x, y, z, acct_head)
#ifdef LIVE
  :: losses > 0 -> losses--
  :: full(down[box]) -> skip
#else
  :: true -> skip
#endif
  fi
}

/* Two histories under one identity: nothing more is lent or taken back under it. */
inline fence() {
#ifdef REACH_FENCE
  assert(false);     /* must fail: the fence is reached */
#endif
  assert(!HONEST);   /* I9 */
  alarm = 1;
  acct_epoch++;
  if
  :: acct_state == OPEN -> suspense = suspense + leased; leased = 0; acct_state = EXPIRED
  :: else
  fi
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
  :: of_lease[x] == acct_lease && acct_state == OPEN && leased > 0 -> leased--; captured++
  :: of_lease[x] == acct_lease && acct_state == EXPIRED && suspense > 0 -> suspense--; captured++
#ifdef EXPIRY_TO_BALANCE
  :: of_lease[x] == acct_lease && acct_state == NONE -> captured++
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
  /* Rest goes back to the balance by the box's own close of this lease, and in no other way. A fenced one stays. */
#if defined(UNNAMED_CLOSE) || defined(DELTA_USAGE)
#define NAMES_LEASE true
#else
#define NAMES_LEASE (name == acct_lease)
#endif
  if
  :: closing && NAMES_LEASE && acct_state == OPEN && number[head] == number[acct_head] ->
     available = available + leased; leased = 0; acct_state = NONE
  :: closing && NAMES_LEASE && acct_state == EXPIRED && number[head] == number[acct_head] && !alarm ->
     available = available + suspense; suspense = 0; acct_state = NONE
  :: else
  fi;
  CONSERVED;
  answer(ACK, number[acct_head], acct_lease, (acct_state == NONE))
}

/* A new id: a lease, if none is open, both journals end with the same entry, and there is credit. */
inline lend() {
  if
#ifndef NO_REQUEST_ID
  :: acct_state != NONE ->
     assert(!HONEST || name != card[BOX].request);   /* I9: an honest box in need never meets a lease it does not hold */
     answer(BUSY, name, 0, 0)
  :: acct_state == NONE && head != acct_head -> answer(ACK, number[acct_head], acct_lease, 1)
  :: acct_state == NONE && head == acct_head && available == 0 ->
#ifndef FORGET_REFUSAL
     verdict[name] = WAS_REFUSED;
#endif
     answer(NO_CREDIT, name, 0, 0)
  :: acct_state == NONE && head == acct_head && available > 0 ->
#else
  :: available == 0 -> answer(NO_CREDIT, name, 0, 0)
  :: available > 0 ->
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
#endif
     available = available - k; leased = leased + k;
     acct_state = OPEN; acct_lease++; acct_grant = k; acct_request = name; verdict[name] = WAS_GRANTED;
     CONSERVED;
#ifndef ANSWER_BEFORE_COMMIT
     answer(GRANTED, name, acct_lease, acct_grant)
#endif
  fi
}

proctype Account() {
  mtype kind;
  byte box, epoch, name, head, k, e;
  bit closing;
end:
  do
  :: atomic { up?kind(box, epoch, name, head, closing) ->
     if
#ifdef LIVE
     :: losses > 0 -> losses--; goto next                                        /* lost */
     :: losses > 0 && nfull(up) -> losses--; up!kind(box, epoch, name, head, closing)
     :: losses > 0 && nfull(up) -> losses--; up!kind(box, epoch, name, head, closing); goto next
#else
     :: goto next                                                                /* lost */
#ifndef NO_DOUBLES
     :: nfull(up) -> up!kind(box, epoch, name, head, closing)                    /* doubled: once now, once later */
     :: nempty(up) && nfull(up) -> up!kind(box, epoch, name, head, closing); goto next   /* overtaken */
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
#ifndef NO_CHAIN
     /* What is shown must continue, or be a part of, what the account holds. With usage come the entries after the last
      * acknowledged one and the hash before them; as each hash stands for all before it, one comparison is enough. A
      * request for a lease tells the head alone, which the account can compare only if it has that number. */
     if
     :: number[head] <= number[acct_head] && AT(acct_head, number[head]) != head ->
        fence(); CONSERVED; answer(FENCED, 0, 0, 0); goto next
     :: kind == USAGE && number[head] > number[acct_head] && AT(head, number[acct_head]) != acct_head ->
        fence(); CONSERVED; answer(FENCED, 0, 0, 0); goto next
     :: else
     fi;
#endif
     if
     :: kind == USAGE -> settle_usage()
#ifdef NO_REQUEST_ID
     :: kind == LEASE -> lend()
#else
#ifdef LAST_REQUEST_ONLY
#define SEEN(r) (acct_request == r)
#else
#define SEEN(r) (verdict[r] != NEVER_SEEN)
#endif
     :: kind == LEASE && !SEEN(name) -> lend()
     /* The same id has the same answer for ever (I7), expired or not; unless the asker's journal is behind what was
      * spent from that lease, or the lease is over: then he is an old image, or this is an old copy of the request. */
     :: kind == LEASE && SEEN(name) ->
        if
        :: verdict[name] == WAS_REFUSED -> answer(NO_CREDIT, name, 0, 0)
        :: verdict[name] != WAS_REFUSED && name == acct_request && acct_state != NONE && head == acct_head ->
           answer(GRANTED, name, acct_lease, acct_grant)
        :: else -> answer(OVER, name, 0, 0)
        fi
#endif
     fi;
next:
     kind = 0; box = 0; epoch = 0; name = 0; head = 0; closing = 0; k = 0; e = 0 }
#ifdef EXPIRE
  :: atomic { acct_state == OPEN ->
#ifdef EXPIRY_TO_BALANCE
     available = available + leased; leased = 0; acct_state = NONE;
#else
     suspense = suspense + leased; leased = 0; acct_state = EXPIRED;
#endif
     CONSERVED }
#endif
#ifdef TOP_UP
  :: atomic { funded == FUND -> funded = FUND + TOP_UP; available = available + TOP_UP; CONSERVED }
#endif
  od
}

/* ---- the box ---------------------------------------------------------------------------------------------- */

#define MINE card[me]
#define FREE (MINE.grant - MINE.used)
#define WANTS (MINE.part[1] == QUEUED || MINE.part[2] == QUEUED || MINE.part[3] == QUEUED)
#define UNDER_WAY(m) (MINE.part[m] == RESERVED || MINE.part[m] == INTENT)
#define BUSY_SENDING (UNDER_WAY(1) || UNDER_WAY(2) || UNDER_WAY(3))
#define IN_DOUBT (MINE.part[1] == INTENT || MINE.part[2] == INTENT || MINE.part[3] == INTENT)
#define CAN_RESERVE ((MINE.part[1] == QUEUED && FREE >= 1) || (MINE.part[2] == QUEUED && MINE.part[3] == QUEUED && FREE >= 2))
#define SPENDABLE (MINE.lease != 0 && !MINE.closing)

inline copy_card(to, from) {
  card[to].epoch = card[from].epoch; card[to].lease = card[from].lease; card[to].grant = card[from].grant;
  card[to].used = card[from].used; card[to].request = card[from].request; card[to].closing = card[from].closing;
  card[to].head = card[from].head; card[to].acked = card[from].acked;
  card[to].part[1] = card[from].part[1]; card[to].part[2] = card[from].part[2]; card[to].part[3] = card[from].part[3];
  card[to].mark = card[from].mark; card[to].starting = card[from].starting
}

/* One transaction: the entry and the state of its part. */
inline charge(m, state) {
  entries++;
  before[entries] = MINE.head; number[entries] = number[MINE.head] + 1;
  of_part[entries] = m; of_lease[entries] = MINE.lease;
  MINE.head = entries;
  MINE.part[m] = state
}

inline power_cut() {
  if
  :: crashes > 0 -> crashes--; goto boot
  :: true -> skip
  fi
}

inline hand_over(m) {
  assert(m == 1 || (MINE.part[2] != QUEUED && MINE.part[3] != QUEUED));   /* I6 */
#ifndef NO_INTENT
  MINE.part[m] = INTENT;
  power_cut();
#endif
  if
#ifdef REFUSE
  :: atomic { true ->
#ifdef CHARGE_REFUSED
       charge(m, REFUSED)
#else
       MINE.part[m] = REFUSED; MINE.used--
#endif
     }
#endif
  :: atomic { true ->
       sends[m]++; witness[me]++;   /* Ctrl-Z: out of our hands */
       /* I10: each copy beyond the first can spend one grant that nobody paid for. */
       assert(ALL_SENDS <= funded + cloned * GRANT);
       assert(sends[m] <= 1 || cloned) };   /* I5: nothing goes out twice */
     power_cut();
     atomic { charge(m, SENT); MINE.mark = witness[me] }
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

proctype Box(byte me) {
  mtype kind;
  byte x, y, z, theirs, m;
  bit waiting;                 /* for credit: not worth asking until somebody says there is more */
#ifdef ASK_ONCE
  bit asked;
#endif
boot:
  atomic {
    waiting = 0; m = 0;
    do   /* answers on their way find nobody */
    :: nempty(down[me]) -> down[me]?kind(x, y, z, theirs)
    :: empty(down[me]) -> break
    od;
    kind = 0; x = 0; y = 0; z = 0; theirs = 0;
#if !defined(NO_WITNESS) && !defined(CLONE)
    /* Ahead by more than what a power cut can hide (one hand-over, or one start): this card was elsewhere meanwhile.
     * The witness knows nothing of a copy that runs with a SIM and a modem of its own, so CLONE is without it. */
    if
    :: witness[me] > MINE.mark + (MINE.starting || IN_DOUBT) -> assert(!HONEST); stop_all()   /* I9 */
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
  /* -- a lease: only when all that was charged is known to the account; the id is on disk before it leaves */
  :: atomic { MINE.lease == 0 && MINE.request == 0 && WANTS && MINE.acked == number[MINE.head] && !waiting && ids < REQUESTS ->
       ids++; MINE.request = ids }
#ifdef TOP_UP
  :: atomic { waiting && funded > FUND && !told -> told = 1; waiting = 0 }
#endif
#ifdef LIVE
#define LINE_FREE (empty(up) && empty(down[me]))   /* one request at a time, and its answer is read */
#else
#define LINE_FREE nfull(up)
#endif
#ifdef ASK_ONCE
  :: atomic { MINE.request != 0 && !asked && LINE_FREE -> asked = 1; up!LEASE(me, MINE.epoch, MINE.request, MINE.head, 0) }
#else
  :: atomic { MINE.request != 0 && LINE_FREE -> up!LEASE(me, MINE.epoch, MINE.request, MINE.head, 0) }
#endif

  /* -- reserve */
  :: atomic { SPENDABLE && MINE.part[1] == QUEUED && FREE >= 1 -> MINE.part[1] = RESERVED; MINE.used++ }
#ifdef PARTIAL_BATCH
  :: atomic { SPENDABLE && MINE.part[2] == QUEUED && FREE >= 1 -> MINE.part[2] = RESERVED; MINE.used++ }
  :: atomic { SPENDABLE && MINE.part[3] == QUEUED && FREE >= 1 -> MINE.part[3] = RESERVED; MINE.used++ }
#else
  :: atomic { SPENDABLE && MINE.part[2] == QUEUED && MINE.part[3] == QUEUED && FREE >= 2 ->
       MINE.part[2] = RESERVED; MINE.part[3] = RESERVED; MINE.used = MINE.used + 2 }
#endif

  /* -- send */
#ifdef NO_CLOSING_MARK
#define MAY_SEND (MINE.lease != 0)
#define MAY_CLOSE SPENDABLE
#else
#define MAY_SEND SPENDABLE
#define MAY_CLOSE (SPENDABLE && !BUSY_SENDING && !CAN_RESERVE)
#endif
  :: MAY_SEND && MINE.part[1] == RESERVED -> hand_over(1)
  :: MAY_SEND && MINE.part[2] == RESERVED -> hand_over(2)
  :: MAY_SEND && MINE.part[3] == RESERVED -> hand_over(3)

  /* -- settle: the mark first; usage as often as it takes */
  :: atomic { MAY_CLOSE -> MINE.closing = 1 }
#ifdef DELTA_USAGE
#define USAGE_NAME MINE.acked   /* "all after this" */
#else
#define USAGE_NAME MINE.lease
#endif
  :: atomic { (number[MINE.head] > MINE.acked || MINE.closing) && LINE_FREE ->
       up!USAGE(me, MINE.epoch, USAGE_NAME, MINE.head, MINE.closing) }

  /* -- answers */
  :: atomic { down[me]?kind(x, y, z, theirs) ->
       if
       :: kind == GRANTED && x == MINE.request && MINE.lease == 0 ->
          MINE.lease = y; MINE.grant = z; MINE.used = 0; MINE.request = 0; MINE.closing = 0
       :: kind == NO_CREDIT && x == MINE.request -> waiting = 1; MINE.request = 0
       :: kind == OVER && x == MINE.request ->          /* our own id, used up by a later self */
          assert(!HONEST); stop_all(); goto halt
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
          if
          :: x > MINE.acked -> MINE.acked = x
          :: else
          fi;
          if
          :: z == 1 && y == MINE.lease && MINE.closing && x == number[MINE.head] ->
#ifndef BORROW_AGAIN
             /* All of it came back and something still waits: the batch is larger than what is lent. Borrowing the same
              * again would never end. */
             waiting = (MINE.used == 0);
#endif
             MINE.lease = 0; MINE.grant = 0; MINE.used = 0; MINE.closing = 0
          :: else
          fi
       :: else -> skip   /* BUSY: asked again; or to a question that is no longer asked */
       fi;
       assert(MINE.used <= MINE.grant);   /* I2 */
       kind = 0; x = 0; y = 0; z = 0; theirs = 0; m = 0 }

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
  :: atomic { (!WANTS || waiting) && !BUSY_SENDING && MINE.lease == 0 && MINE.request == 0 &&
              MINE.acked == number[MINE.head] && MAY_END ->
       settled++;
       if
       :: HONEST ->
          assert(!alarm);                                                        /* I9 */
          assert(leased == 0 && suspense == 0 && debt == 0);                     /* I13 */
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
