package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NoticeTest {
  private static final Address REMOTE = Address.of("203.0.113.1");

  private static Optional<String> read(String text) throws IOException {
    return Notice.read(new ByteArrayInputStream(text.getBytes(US_ASCII)));
  }

  @Test
  void isReadAsItIsWritten() {
    Notice notice = new Notice(REMOTE, 0xc0ffee01);
    assertThat(notice.line()).isEqualTo("register 203.0.113.1 0xc0ffee01");
    assertThat(Notice.of(notice.line())).contains(notice);
    assertThat(Notice.of("register 203.0.113.1 3237998081")).contains(notice);
    assertThat(Notice.of("register 203.0.113.1 0010")).contains(new Notice(REMOTE, 10));
    assertThat(Notice.of("register 203.0.113.1 4294967295")).contains(new Notice(REMOTE, -1));
  }

  @Test
  void isNothingElse() {
    for (String wrong :
        List.of(
            "",
            "register",
            "register 203.0.113.1",
            "register 203.0.113.1 0",
            "register 203.0.113.1 0x0",
            "register 203.0.113.1 4294967296",
            "register 203.0.113.1 0x1c0ffee01",
            "register 203.0.113.1 -1",
            "register 203.0.113.1 0x1 ",
            "register 203.0.113.1 0x1\r",
            "register  203.0.113.1 0x1",
            "register 203.0.113.256 0x1",
            "register 2001:db8::1 0x1",
            "register 10.0.1.7 203.0.113.1 0x1",
            "REGISTER 203.0.113.1 0x1",
            "release 203.0.113.1 0x1")) {
      assertThat(Notice.of(wrong)).as(wrong).isEmpty();
    }
  }

  @Test
  void aLineEndsAndHasALength() throws IOException {
    assertThat(read("done\n")).contains("done");
    assertThat(read("done\nmore")).contains("done");
    assertThat(read("done")).as("truncated").isEmpty();
    assertThat(read("")).isEmpty();
    assertThat(read("x".repeat(Notice.LONGEST - 1) + "\n")).isPresent();
    assertThat(read("x".repeat(Notice.LONGEST) + "\n")).as("overlong").isEmpty();
  }
}
