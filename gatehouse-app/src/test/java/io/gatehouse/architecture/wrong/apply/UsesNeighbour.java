package io.gatehouse.architecture.wrong.apply;

import io.gatehouse.architecture.wrong.vici.State;

/** Reaches sideways. */
public record UsesNeighbour(State state) {}
