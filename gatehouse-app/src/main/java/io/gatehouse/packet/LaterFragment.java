package io.gatehouse.packet;

/** A fragment that does not begin with the header of the body: nothing in it can be told. */
public record LaterFragment(Bytes data) implements Body {}
