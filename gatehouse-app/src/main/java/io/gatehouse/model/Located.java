package io.gatehouse.model;

/** A value and the place it was written at. */
public record Located<T>(T value, Origin origin) {}
