package io.gatehouse.ruleset;

import io.gatehouse.model.Origin;

/**
 * A kernel setting, in the order it is to be written.
 *
 * @param key below /proc/sys, such as {@code net/ipv4/conf/eth0/send_redirects}; slashes, because
 *     device names may have dots
 */
public record Sysctl(String key, String value, Origin origin) {}
