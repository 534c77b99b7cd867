package io.gatehouse.growth;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.HashSet;
import java.util.Set;

/**
 * Loads our classes so that they count their work: each method that is entered, lambdas among them,
 * and each turn of a loop. What the JDK does inside is not counted.
 */
final class Counting extends ClassLoader {
  private static final ClassDesc TICKS = Ticks.class.describeConstable().orElseThrow();
  private static final MethodTypeDesc TICK =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

  private final ClassFile classes;

  Counting() {
    super(Counting.class.getClassLoader());
    classes =
        ClassFile.of(
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(getParent())
                    .orElse(ClassHierarchyResolver.defaultResolver())
                    .cached()));
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith("io.gatehouse.") || name.equals(Ticks.class.getName())) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] counted = counted(classes.parse(in.readAllBytes()));
        return defineClass(name, counted, 0, counted.length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private byte[] counted(ClassModel model) {
    String name = model.thisClass().asInternalName().replace("io/gatehouse/", "");
    return classes.transformClass(
        model,
        (builder, element) -> {
          if (element instanceof MethodModel method && method.code().isPresent()) {
            int id = Ticks.of(name + "." + method.methodName().stringValue());
            builder.transformMethod(
                method,
                MethodTransform.transformingCode(CodeTransform.ofStateful(() -> new Ticking(id))));
          } else {
            builder.with(element);
          }
        });
  }

  /** The instructions of one method. A loop is a jump to what was passed already. */
  private static final class Ticking implements CodeTransform {
    private final int id;
    private final Set<Label> passed = new HashSet<>();

    Ticking(int id) {
      this.id = id;
    }

    @Override
    public void atStart(CodeBuilder builder) {
      tick(builder);
    }

    @Override
    public void accept(CodeBuilder builder, CodeElement element) {
      if (element instanceof LabelTarget target) {
        passed.add(target.label());
      } else if (element instanceof BranchInstruction jump && passed.contains(jump.target())) {
        tick(builder);
      }
      builder.with(element);
    }

    private void tick(CodeBuilder builder) {
      builder.loadConstant(id).invokestatic(TICKS, "tick", TICK);
    }
  }
}
