package io.gatehouse.architecture.wrong.vici;

/** The neighbour of apply. */
public record State(int rules) {}
