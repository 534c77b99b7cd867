package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;

/** An engine under test, with hosts A, B and C inside and two remotes. */
final class Gateway {
  static final Address A = Address.of("10.0.1.1");
  static final Address B = Address.of("10.0.1.2");
  static final Address C = Address.of("10.0.1.3");
  static final Address REMOTE = Address.of("198.51.100.1");
  static final Address OTHER = Address.of("198.51.100.2");
  static final Address PUBLIC = Address.of("203.0.113.1");
  static final Verdict FORWARD = new Verdict.Forward();

  final Masquerade engine;
  long now;

  Gateway(Settings settings) {
    this.engine = new Masquerade(settings, 0);
  }

  static Verdict to(Address host) {
    return new Verdict.To(host);
  }

  static Verdict drop(Reason reason) {
    return new Verdict.Drop(reason);
  }

  Verdict out(Ip packet) {
    return engine.outbound(packet, now);
  }

  Verdict in(Ip packet) {
    return engine.inbound(packet, now);
  }

  Verdict espOut(Address host, int spi, int sequence) {
    return out(Wire.esp(host, REMOTE, spi, sequence));
  }

  Verdict espIn(int spi, int sequence) {
    return in(Wire.esp(REMOTE, PUBLIC, spi, sequence));
  }

  /** The first two packets under an SPI, of which the second decides. */
  Verdict begins(int spi) {
    espIn(spi, 1);
    return espIn(spi, 2);
  }

  Verdict ikeOut(Address host, Ike message) {
    return out(Wire.ike(host, REMOTE, message));
  }

  Verdict ikeIn(Ike message) {
    return in(Wire.ike(REMOTE, PUBLIC, message));
  }

  /** The cookie of a host's first IKE SA. */
  static long cookie(Address host) {
    return 0xc0000000L + host.low();
  }

  static long answered(Address host) {
    return 0xa0000000L + host.low();
  }

  /** IKE_SA_INIT and IKE_AUTH: a session, and an SPI to come. */
  void logon(Address host) {
    saInit(host);
    auth(host);
  }

  void saInit(Address host) {
    ikeOut(host, Wire.v2(cookie(host), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG));
    ikeIn(Wire.v2(cookie(host), answered(host), Ike.SA_INIT, 0, true, 0, Wire.LONG));
  }

  void auth(Address host) {
    ask(host, Ike.AUTH, 1, 35, Wire.LONG);
    answer(host, Ike.AUTH, 1, Ike.IDR_PAYLOAD, Wire.LONG);
  }

  Verdict ask(Address host, int exchange, int message, int inner, long length) {
    return ikeOut(
        host, Wire.v2(cookie(host), answered(host), exchange, message, false, inner, length));
  }

  Verdict answer(Address host, int exchange, int message, int inner, long length) {
    return ikeIn(Wire.v2(cookie(host), answered(host), exchange, message, true, inner, length));
  }

  /** A new pair of SAs in place of the old one, asked for by the host. */
  void rekey(Address host, int message) {
    ask(host, Ike.CREATE_CHILD_SA, message, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    answer(host, Ike.CREATE_CHILD_SA, message, Ike.SA_PAYLOAD, Wire.LONG);
  }
}
