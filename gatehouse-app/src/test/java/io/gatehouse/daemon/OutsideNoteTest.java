package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutsideNoteTest {
  @TempDir Path directory;

  @Test
  void whatWasToldLastIsRead() throws Exception {
    OutsideNote note = new OutsideNote(directory.resolve("outside"));
    assertThat(note.told()).isEmpty();
    note.tell(Set.of(Address.of("203.0.113.2")));
    Set<Address> two = Set.of(Address.of("203.0.113.7"), Address.of("2001:db8::7"));
    note.tell(two);

    assertThat(new OutsideNote(note.file()).told()).isEqualTo(two);
    Files.writeString(note.file(), "203.0.113.7\n\nnonsense\n");
    assertThat(note.told()).containsExactly(Address.of("203.0.113.7"));
    Files.write(note.file(), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThat(note.told()).isEmpty();
  }
}
