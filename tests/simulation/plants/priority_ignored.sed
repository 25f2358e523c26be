# src/choice/chooser_pick.c
# The lowest priority goes first.
s/for \(int priority = MESSAGE_PRIORITY_MAX; priority >= 0; priority--\)/for (int priority = 0; priority <= MESSAGE_PRIORITY_MAX; priority++)/
s/if \(best->found && priority < best->item.priority\)/if (best->found \&\& priority > best->item.priority)/
s/return a->priority != b->priority \? a->priority > b->priority :/return a->priority != b->priority ? a->priority < b->priority :/
