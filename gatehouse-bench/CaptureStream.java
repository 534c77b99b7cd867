import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes a capture of any length to its standard output: an IKE exchange, and then ESP in both
 * directions, 1,400 bytes and 120 bytes by turns, a new pair of SPIs each million packets. Needs no
 * class path: {@code java CaptureStream.java GIBIBYTES}.
 */
public final class CaptureStream {
  private static final int LARGE = 1400;
  private static final int SMALL = 120;
  private static final int CLIENT = 0xc0000207;
  private static final int SERVER = 0xcb007102;
  private static final int MILLION = 1_000_000;

  private CaptureStream() {}

  /** The number of gibibytes is the only argument. */
  public static void main(String[] args) throws IOException {
    long bytes = (long) (Double.parseDouble(args[0]) * (1L << 30));
    try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
      ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
      buffer.putInt(0xa1b23c4d).putInt(0x00020004).putLong(0).putInt(65535).putInt(101);
      long written = 0;
      for (long packet = 0; written < bytes; packet++) {
        boolean forth = (packet & 1) == 0;
        int length = forth ? LARGE : SMALL;
        if (buffer.remaining() < 16 + length) {
          out.write(buffer.array(), 0, buffer.position());
          buffer.clear();
        }
        buffer.putInt((int) (packet / 10_000)).putInt((int) (packet % 10_000) * 100_000);
        buffer.putInt(length).putInt(length);
        int body = buffer.position() + length;
        buffer.putShort((short) 0x4500).putShort((short) length).putInt(0);
        buffer.put((byte) 64).put((byte) 50).putShort((short) 0);
        buffer.putInt(forth ? CLIENT : SERVER).putInt(forth ? SERVER : CLIENT);
        buffer.putInt((int) (0x1000 + packet / MILLION * 2 + packet % 2));
        buffer.putInt((int) (packet % MILLION / 2) + 1);
        buffer.position(body);
        written += 16 + length;
      }
      out.write(buffer.array(), 0, buffer.position());
    }
  }
}
