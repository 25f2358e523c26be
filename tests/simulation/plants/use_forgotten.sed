# src/store/sending.c
# What a SIM has used is not kept: after a restart it may send everything once more.
# world: routing
s/use_write\(store, intent->sim_id, intent->use_state\);/(void)intent->use_state;/
