package io.gatehouse.architecture.wrong.cellar;

/** In a package that no plan knows and nobody null-marked. */
public record Unknown(int depth) {}
