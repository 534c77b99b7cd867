package io.gatehouse.vici;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.vici.ChildSa.Mark;
import io.gatehouse.vici.IkeSa.Endpoint;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SaReaderTest {
  private static final String CHILD =
      """
      name=net uniqueid=17 reqid=12 state=INSTALLED mode=TUNNEL protocol=ESP
      spi-in=c0ffee01 spi-out=12345678 mark-in=1f mark-out=1f mark-mask-out=ffffff
      bytes-in=4096 bytes-out=8192 rekey-time=3000 local-ts=[10.20.255.7/32] remote-ts=[10.0.3.9/32 10.0.4.0..10.0.4.6[tcp/80]]
      """
          .replace("[tcp/80]", "");

  private static final String IKE =
      """
      uniqueid=5 version=2 state=ESTABLISHED local-host=203.0.113.2 local-port=4500
      remote-host=198.51.100.7 remote-port=1024 remote-id=laptop remote-eap-id=anna@fin
      initiator-spi=fedcba9876543210 responder-spi=0000000000000001
      established=60 remote-vips=[10.0.3.9 2001:db8:3::9]
      """;

  private static ChildSa onlyChild(String events, String name) {
    return switch (SaReader.events(name, Sections.of(events)).getFirst()) {
      case TunnelEvent.ChildUp up -> up.child();
      case TunnelEvent.ChildDown down -> down.child();
      default -> throw new AssertionError();
    };
  }

  @Test
  void anSaThatIsListedHasEverything() {
    List<IkeSa> listed =
        SaReader.listed(
            Sections.of("staff { " + IKE + " child-sas { net-17 { " + CHILD + " } } }"));

    assertThat(listed)
        .singleElement()
        .satisfies(sa -> {
          assertThat(sa.connection()).isEqualTo("staff");
          assertThat(sa.id()).isEqualTo(5);
          assertThat(sa.remote()).contains(new Endpoint(Address.of("198.51.100.7"), 1024));
          assertThat(sa.remoteId()).contains("laptop");
          assertThat(sa.eapId()).contains("anna@fin");
          assertThat(sa.xauthId()).isEmpty();
          assertThat(sa.virtual())
              .containsExactly(Address.of("10.0.3.9"), Address.of("2001:db8:3::9"));
          assertThat(sa.since()).contains(Duration.ofMinutes(1));
          assertThat(sa.cookie()).hasValue(0xfedcba9876543210L);
        });
    assertThat(listed.getFirst().children())
        .singleElement()
        .satisfies(child -> {
          assertThat(child.name()).isEqualTo("net");
          assertThat(child.rekeyIn()).contains(Duration.ofMinutes(50));
          assertThat(child.bytesIn()).isEqualTo(4096);
        });
  }

  @Test
  void aCookieThatIsNotThereYetOrNoNumberIsLeftOut() {
    for (String cookie : List.of("0000000000000000", "fedcba9876543210f", "-1", "x")) {
      String text = "staff { " + IKE.replace("fedcba9876543210", cookie) + " }";
      assertThat(SaReader.listed(Sections.of(text)).getFirst().cookie()).as(cookie).isEmpty();
    }
  }

  @Test
  void onlySpisMarksAndInterfaceIdsAreHexadecimal() {
    ChildSa child =
        onlyChild(
            "up=yes staff { " + IKE + " child-sas { net-17 { " + CHILD + " } } }", "child-updown");

    assertThat(child.spiIn()).isEqualTo(0xc0ffee01L);
    assertThat(child.spiOut()).isEqualTo(0x12345678L);
    assertThat(child.reqid()).isEqualTo(12);
    assertThat(child.id()).isEqualTo(17);
    assertThat(child.markIn().orElseThrow().value()).isEqualTo(0x1f);
  }

  @Test
  void aMaskThatIsLeftOutIsAllOnes() {
    ChildSa child =
        onlyChild(
            "up=yes staff { " + IKE + " child-sas { net-17 { " + CHILD + " } } }", "child-updown");

    assertThat(child.markIn()).contains(new Mark(0x1f, 0xffffffffL));
    assertThat(child.markOut()).contains(new Mark(0x1f, 0xffffff));
  }

  @Test
  void aRangeIsTheNextLargerPrefix() {
    ChildSa child =
        onlyChild(
            "up=yes staff { " + IKE + " child-sas { net-17 { " + CHILD + " } } }", "child-updown");

    assertThat(child.local()).containsExactly(Prefix.of("10.20.255.7/32"));
    assertThat(child.remote()).containsExactly(Prefix.of("10.0.3.9/32"), Prefix.of("10.0.4.0/29"));
  }

  @Test
  void selectorsWithPortsAreTheirAddresses() {
    assertThat(
            SaReader.events(
                "child-updown",
                new Section(
                    java.util.Map.of(
                        "up",
                        new Section.Item.Text("yes"),
                        "l2tp",
                        new Section.Item.Nested(
                            new Section(
                                java.util.Map.of(
                                    "uniqueid",
                                    new Section.Item.Text("1"),
                                    "child-sas",
                                    new Section.Item.Nested(
                                        new Section(
                                            java.util.Map.of(
                                                "l2tp-2",
                                                new Section.Item.Nested(
                                                    new Section(
                                                        java.util.Map.of(
                                                            "uniqueid",
                                                            new Section.Item.Text("2"),
                                                            "remote-ts",
                                                            new Section.Item.Texts(
                                                                List.of(
                                                                    "203.0.113.1/32[udp/l2f]")))))))))))))))
        .singleElement()
        .isInstanceOfSatisfying(
            TunnelEvent.ChildUp.class,
            up -> {
              assertThat(up.child().remote()).containsExactly(Prefix.of("203.0.113.1/32"));
              assertThat(up.child().name()).isEqualTo("l2tp");
            });
  }

  @Test
  void anEventWithoutUpIsDown() {
    String body = "staff { " + IKE + " child-sas { net-17 { " + CHILD + " } } }";

    assertThat(SaReader.events("child-updown", Sections.of("up=yes " + body)))
        .singleElement()
        .isInstanceOf(TunnelEvent.ChildUp.class);
    assertThat(SaReader.events("child-updown", Sections.of(body)))
        .singleElement()
        .isInstanceOf(TunnelEvent.ChildDown.class);
    assertThat(SaReader.events("ike-updown", Sections.of("staff { " + IKE + " }")))
        .singleElement()
        .isInstanceOf(TunnelEvent.IkeDown.class);
  }

  @Test
  void aRekeyedChildStandsUnderItsPlainNameWithOldAndNew() {
    String renewed = CHILD.replace("uniqueid=17", "uniqueid=18");
    assertThat(
            SaReader.events(
                "child-rekey",
                Sections.of(
                    "staff { "
                        + IKE
                        + " child-sas { net { old { "
                        + CHILD
                        + " } new { "
                        + renewed
                        + " } } } }")))
        .singleElement()
        .isInstanceOfSatisfying(
            TunnelEvent.ChildRekeyed.class,
            rekeyed -> {
              assertThat(rekeyed.old().id()).isEqualTo(17);
              assertThat(rekeyed.child().id()).isEqualTo(18);
              assertThat(rekeyed.child().name()).isEqualTo("net");
            });
  }

  @Test
  void aMoveIsToldWithTheNewEndsBesideTheOldIkeSa() {
    assertThat(
            SaReader.events(
                "ike-update",
                Sections.of(
                    "local-host=203.0.113.2 local-port=4500 remote-host=192.0.2.9 remote-port=2048 staff { "
                        + IKE
                        + " }")))
        .singleElement()
        .isInstanceOfSatisfying(
            TunnelEvent.Moved.class,
            moved -> {
              assertThat(moved.from()).isEqualTo(new Endpoint(Address.of("198.51.100.7"), 1024));
              assertThat(moved.ike().remote())
                  .contains(new Endpoint(Address.of("192.0.2.9"), 2048));
            });
  }

  @Test
  void whatHasNoNumberIsNoSa() {
    assertThat(SaReader.listed(Sections.of("staff { version=2 }"))).isEmpty();
    assertThat(SaReader.listed(Sections.of("staff { uniqueid=x }"))).isEmpty();
    assertThat(
            SaReader.listed(Sections.of("staff { uniqueid=1 child-sas { net-1 { spi-in=zz } } }"))
                .getFirst()
                .children())
        .isEmpty();
  }
}
