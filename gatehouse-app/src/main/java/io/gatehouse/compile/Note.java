package io.gatehouse.compile;

import io.gatehouse.model.Origin;

/**
 * Something that the reader of a plan should know and that is no error: what the description asks
 * for and the kernel alone cannot give.
 *
 * @param origin the value of the description that it is about
 * @param text one or two sentences of plain English, the way out last
 */
public record Note(Origin origin, String text) {}
