/**
 * Binary decision diagrams in an arena: made for one question, thrown away with it. Nothing is
 * freed one by one, and nothing grows past the bound that the question was given: it then gives up,
 * which is an answer of its own.
 */
@NullMarked
package io.gatehouse.bdd;

import org.jspecify.annotations.NullMarked;
