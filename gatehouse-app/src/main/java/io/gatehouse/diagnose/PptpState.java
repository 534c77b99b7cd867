package io.gatehouse.diagnose;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.PptpControl;
import io.gatehouse.packet.PptpGre;
import io.gatehouse.packet.Tcp;
import java.util.OptionalInt;

/** PPTP between two hosts at one point. */
final class PptpState {
  private static final int IP = 0x0021;
  private static final int IPV6 = 0x0057;

  /** RFC 1661, 6.5: one octet where the protocol field is compressed. */
  private static final int COMPRESSED_IP = 0x21;

  private static final int LCP = 0xc021;
  private static final int CCP = 0x80fd;
  private static final int CHAP = 0xc223;
  private static final int CONFIGURE_REJECT = 4;
  private static final int TERMINATE_REQUEST = 5;
  private static final int PROTOCOL_REJECT = 8;
  private static final int CHAP_FAILURE = 4;
  private static final int CALL_REPLY = 8;
  private static final int START_REPLY = 2;

  /** Microsoft's encryption, in CCP's options (RFC 3078, 2). */
  private static final int MPPE = 18;

  int syns;
  int synAnswers;

  /** Answers by RST to a SYN that was seen here. */
  int refusedSyns;

  /** Source port of the last SYN that has no answer yet. */
  private OptionalInt asking = OptionalInt.empty();

  int starts;
  int startAnswers;
  int callAnswers;

  /** Result code of the last refusal; 0 where there was none. */
  int refusal;

  int mppeRefusals;

  /** How often PPP ended behind such a refusal, before anything was carried. */
  int endsWithoutMppe;

  private boolean carried;
  int passwordRefusals;

  void control(Tcp segment) {
    boolean syn = (segment.flags() & Tcp.SYN) != 0;
    boolean answer = (segment.flags() & Tcp.ACK) != 0;
    boolean fromServer = segment.sourcePort() == PptpControl.PORT;
    if (syn) {
      syns += answer ? 0 : 1;
      synAnswers += answer ? 1 : 0;
      asking = answer ? OptionalInt.empty() : OptionalInt.of(segment.sourcePort());
    }
    // A connection that stood ends by RST too.
    if ((segment.flags() & Tcp.RST) != 0
        && fromServer
        && asking.equals(OptionalInt.of(segment.destinationPort()))) {
      refusedSyns++;
    }
    Bytes data = segment.data();
    if (PptpControl.read(data) instanceof PptpControl.Message message) {
      switch (message.type()) {
        case 1 -> starts++;
        case START_REPLY -> startAnswers++;
        case CALL_REPLY -> {
          callAnswers++;
          int result = data.u8(16); // RFC 2637, 2.8: behind both Call IDs
          if (result != 1) {
            refusal = result;
          }
        }
        default -> {}
      }
    }
  }

  void data(PptpGre gre) {
    Bytes ppp = gre.data();
    int at = ppp.length() >= 2 && ppp.u16(0) == 0xff03 ? 2 : 0;
    if (ppp.length() < at + 8) {
      return;
    }
    int protocol = ppp.u16(at);
    int code = ppp.u8(at + 2);
    int body = at + 6; // behind code, identifier and length
    if (ppp.u8(at) == COMPRESSED_IP || protocol == IP || protocol == IPV6) {
      carried = true;
    } else if (protocol == LCP && code == TERMINATE_REQUEST && mppeRefusals > 0 && !carried) {
      endsWithoutMppe++;
    } else if (protocol == LCP && code == PROTOCOL_REJECT && ppp.u16(body) == CCP) {
      mppeRefusals++;
    } else if (protocol == CCP && code == CONFIGURE_REJECT && ppp.u8(body) == MPPE) {
      mppeRefusals++;
    } else if (protocol == CHAP && code == CHAP_FAILURE) {
      passwordRefusals++;
    }
  }
}
