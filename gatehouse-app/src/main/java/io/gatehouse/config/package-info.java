/**
 * The description: YAML to model. {@link Description} reads it, {@link ProblemText} shows what is
 * wrong with it.
 *
 * <p>The road: {@code Text} (bytes to characters) → {@code Tree} (characters to nodes) → {@code
 * Includes} (files to one tree) → {@code Shape} (the tree against the key tables of {@code
 * Language}) → {@code Binder} (values, names, and what contradicts itself). Every step adds its
 * problems to one list and goes on, so that all are told at once. Files come through a {@link
 * Source} that the caller hands in.
 */
@NullMarked
package io.gatehouse.config;

import org.jspecify.annotations.NullMarked;
