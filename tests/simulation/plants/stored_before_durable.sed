# src/gateway/gateway_receive.c
# The modem may forget an incoming message before it is on the disk.
/if \(!fill_user_data\(receive, &tpdu\) /,/^}/s/^    add_for_card\(gateway, slot, change\);/    gateway->config.ops->stored(gateway->config.context, index, handle, now);\n    add_for_card(gateway, slot, change);/
