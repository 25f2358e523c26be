# src/store/store.c
# After a crash an open intent is taken for a part that never left.
s/UPDATE attempt SET state = 5, done_ms/UPDATE attempt SET state = 6, done_ms/
