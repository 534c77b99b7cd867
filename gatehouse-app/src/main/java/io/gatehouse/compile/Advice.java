package io.gatehouse.compile;

import java.util.List;

/** What one part of the compiler has to say besides rules. */
record Advice(List<Companion> companions, List<Note> notes) {
  Advice {
    companions = List.copyOf(companions);
    notes = List.copyOf(notes);
  }
}
