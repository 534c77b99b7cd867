package io.gatehouse.architecture.wrong.snapshot;

/** The neighbour of apply. */
public record State(int rules) {}
