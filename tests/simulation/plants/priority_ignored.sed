# src/queue/queue.c
# The lowest priority goes first.
/^static int best_lane/,/^}/s/for \(int i = MESSAGE_PRIORITY_MAX; i >= 0; i--\)/for (int i = 0; i <= MESSAGE_PRIORITY_MAX; i++)/
