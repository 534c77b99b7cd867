package io.gatehouse.vici;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpdownTest {
  private static Map<String, String> hook(String verb) {
    Map<String, String> variables = new HashMap<>();
    variables.put("PATH", "/usr/bin");
    variables.put("PLUTO_VERB", verb);
    variables.put("PLUTO_CONNECTION", "road & rail");
    variables.put("PLUTO_REQID", "16389");
    variables.put("PLUTO_UNIQUEID", "3");
    variables.put("PLUTO_ME", "203.0.113.2");
    variables.put("PLUTO_PEER", "198.51.100.7");
    variables.put("PLUTO_PEER_ID", "C=CH, O=fin=1, CN=\u00e4nna");
    variables.put("PLUTO_PEER_CLIENT", "10.0.3.9/32");
    variables.put("PLUTO_PEER_SOURCEIP", "10.0.3.9");
    variables.put("PLUTO_PEER_SOURCEIP4_1", "10.0.3.9");
    variables.put("PLUTO_PEER_SOURCEIP6_1", "2001:db8:3::9");
    variables.put("PLUTO_MY_CLIENT", "10.20.255.7/32");
    variables.put("PLUTO_MY_SOURCEIP4_1", "10.20.255.7");
    variables.put("PLUTO_MY_SOURCEIP6_1", "2001:db8:20:ff::7");
    variables.put("PLUTO_MARK_IN", "7/0x00ffffff");
    return variables;
  }

  @Test
  void theHookTellsWhatVICITells() {
    assertThat(Updown.event(Updown.line(hook("up-client"))))
        .get()
        .isInstanceOfSatisfying(
            TunnelEvent.ChildUp.class,
            up -> {
              assertThat(up.ike().connection()).isEqualTo("road & rail");
              assertThat(up.ike().id()).isEqualTo(3);
              assertThat(up.ike().remoteId()).contains("C=CH, O=fin=1, CN=\u00e4nna");
              assertThat(up.ike().virtual())
                  .containsExactlyInAnyOrder(Address.of("10.0.3.9"), Address.of("2001:db8:3::9"));
              assertThat(up.child().remote()).containsExactly(Prefix.of("10.0.3.9/32"));
              assertThat(up.child().local())
                  .as("the virtual IPs of both families, whichever's selector this is")
                  .containsExactly(Prefix.of("10.20.255.7/32"), Prefix.of("2001:db8:20:ff::7/128"));
              assertThat(up.child().markIn()).contains(new ChildSa.Mark(7, 0xffffff));
            });
    assertThat(Updown.event(Updown.line(hook("down-host-v6"))))
        .get()
        .isInstanceOf(TunnelEvent.ChildDown.class);
  }

  /** libreswan has another name for the reqid, and no number for its IKE SA. */
  @Test
  void libreswansVariablesAreUnderstood() {
    Map<String, String> variables = new HashMap<>();
    variables.put("PLUTO_VERB", "up-client");
    variables.put("PLUTO_CONNECTION", "branch");
    variables.put("PLUTO_SA_REQID", "16388");
    variables.put("PLUTO_SA_TYPE", "ESP");
    variables.put("PLUTO_ME", "203.0.113.2");
    variables.put("PLUTO_PEER", "198.51.100.7");
    variables.put("PLUTO_PEER_ID", "198.51.100.7");
    variables.put("PLUTO_PEER_CLIENT", "10.20.0.0/16");
    variables.put("PLUTO_USERNAME", "");

    assertThat(Updown.event(Updown.line(variables)))
        .get()
        .isInstanceOfSatisfying(
            TunnelEvent.ChildUp.class,
            up -> {
              assertThat(up.ike().id()).isEqualTo(16388);
              assertThat(up.ike().xauthId()).isEmpty();
              assertThat(up.child().remote()).containsExactly(Prefix.of("10.20.0.0/16"));
            });
  }

  @Test
  void onlyTheHooksVariablesTravel() {
    assertThat(Updown.line(hook("up-client"))).doesNotContain("PATH", "usr", "\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "VERB=up-client",
        "VERB=up-client&CONNECTION=x&REQID=y",
        "VERB=prepare-host&CONNECTION=x&REQID=1",
        "CONNECTION=x&REQID=1",
        "VERB=up-client&CONNECTION=%zz&REQID=1",
        "VERB=up-client&CONNECTION=x&REQID=99999999999"
      })
  void whatIsNoEventIsNothing(String line) {
    assertThat(Updown.event(line)).isEmpty();
  }
}
