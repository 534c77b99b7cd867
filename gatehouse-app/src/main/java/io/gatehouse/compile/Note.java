package io.gatehouse.compile;

import io.gatehouse.model.Origin;

/**
 * Something that the operator should know although nothing is wrong enough to refuse.
 *
 * @param text whole sentences, the way out last
 * @param origin the line that it is about
 */
public record Note(String text, Origin origin) {}
