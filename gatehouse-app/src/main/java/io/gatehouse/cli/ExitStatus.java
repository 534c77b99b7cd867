package io.gatehouse.cli;

/** The exit statuses of every command; scripts may rely on them. */
public final class ExitStatus {

  /** Fine, or nothing to do. */
  public static final int FINE = 0;

  /** The answer is no: a property broken, a finding, a refused description. */
  public static final int NO = 1;

  /** {@code plan} only: there are changes. */
  public static final int CHANGES = 2;

  /** Wrong usage; {@code EX_USAGE} of sysexits. */
  public static final int USAGE = 64;

  /** Our own fault; {@code EX_SOFTWARE} of sysexits. */
  public static final int FAULT = 70;

  /** The host lacks something, and the message names it. */
  public static final int LACKING = 77;

  private ExitStatus() {}
}
