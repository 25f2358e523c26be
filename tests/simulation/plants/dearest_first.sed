# src/choice/chooser_judge.c
# Who asks more goes first.
# world: routing
s/return offer_a->micro < offer_b->micro;/return offer_a->micro > offer_b->micro;/
