import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * The last step of the build: {@code FinishJar SHADED FINISHED [START]}.
 *
 * <p>Rewrites classes of the oldest file formats (picocli is compiled for Java 5) with stack maps.
 * Without them an AOT cache refuses the class, and everything that uses it, and each start verifies
 * it anew: 100 ms of a start that should take 150.
 *
 * <p>The finished jar appears in one move, so that a start during a build sees the old jar or the
 * new one. Its time is START (seconds since 1970) where the launcher gives it: a source saved while
 * the build ran is then newer than the jar, and the next start builds again.
 */
final class FinishJar {

  /** Java 6, the first format with stack maps. */
  private static final int FIRST_WITH_STACK_MAPS = 50;

  private FinishJar() {}

  public static void main(String[] args) throws IOException {
    Path finished = Path.of(args[1]);
    Path unfinished = finished.resolveSibling(finished.getFileName() + ".new");
    try (ZipFile shaded = new ZipFile(args[0]);
        OutputStream file = new BufferedOutputStream(Files.newOutputStream(unfinished));
        ZipOutputStream out = new ZipOutputStream(file)) {
      ClassFile classFile =
          ClassFile.of(
              StackMapsOption.GENERATE_STACK_MAPS,
              ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(
                          type -> open(shaded, fileName(type.descriptorString())))
                      .orElse(ClassHierarchyResolver.defaultResolver())));
      for (ZipEntry entry : shaded.stream().toList()) {
        byte[] bytes;
        try (InputStream in = shaded.getInputStream(entry)) {
          bytes = in.readAllBytes();
        }
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTimeLocal(entry.getTimeLocal());
        out.putNextEntry(copy);
        out.write(isOldClass(entry, bytes) ? upgrade(classFile, bytes) : bytes);
        out.closeEntry();
      }
    }
    if (args.length > 2 && !args[2].isEmpty()) {
      long millis = new BigDecimal(args[2].replace(',', '.')).movePointRight(3).longValue();
      Files.setLastModifiedTime(unfinished, FileTime.from(Instant.ofEpochMilli(millis)));
    }
    Files.move(unfinished, finished, ATOMIC_MOVE, REPLACE_EXISTING);
  }

  /** The file of a class by its descriptor, {@code Ljava/lang/String;}. */
  private static String fileName(String descriptor) {
    return descriptor.substring(1, descriptor.length() - 1) + ".class";
  }

  private static InputStream open(ZipFile jar, String name) {
    ZipEntry entry = jar.getEntry(name);
    try {
      return entry == null ? null : jar.getInputStream(entry);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isOldClass(ZipEntry entry, byte[] bytes) {
    return entry.getName().endsWith(".class")
        && ((bytes[6] & 0xff) << 8 | (bytes[7] & 0xff)) < FIRST_WITH_STACK_MAPS;
  }

  private static byte[] upgrade(ClassFile classFile, byte[] bytes) {
    ClassModel old = classFile.parse(bytes);
    // Copying each instruction, instead of the code as a whole, makes the stack maps.
    MethodTransform rebuild =
        MethodTransform.transformingCode(
            CodeTransform.ACCEPT_ALL.andThen((code, element) -> code.with(element)));
    return classFile.transformClass(
        old,
        (type, element) -> {
          switch (element) {
            case ClassFileVersion v -> type.withVersion(ClassFile.JAVA_8_VERSION, 0);
            case MethodModel m -> type.transformMethod(m, rebuild);
            default -> type.with(element);
          }
        });
  }
}
