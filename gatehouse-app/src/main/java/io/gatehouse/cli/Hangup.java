package io.gatehouse.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;

/**
 * SIGHUP, which asks a daemon to read its description again. The JDK has signals in the module
 * jdk.unsupported only (JEP 260 keeps it there until something takes its place), and javac warns of
 * each mention of it; so it is looked up by name. Without it, SIGHUP ends the process as before.
 */
final class Hangup {
  private Hangup() {}

  /**
   * Does something for each SIGHUP, in a thread of the JVM's.
   *
   * @return whether any will come: the JVM leaves one alone that was ignored when it started, as
   *     nohup does (JVM_RegisterSignal)
   */
  static boolean answer(Runnable deed) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object heard =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) -> answered(method, proxy, arguments, deed));
      Object before =
          signal
              .getMethod("handle", signal, handler)
              .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), heard);
      return !Objects.equals(before, handler.getField("SIG_IGN").get(null));
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | NoSuchFieldException
        | IllegalAccessException
        | InstantiationException
        | InvocationTargetException e) {
      // The JVM was started so that signals are not its own (-Xrs), or is another one.
      return false;
    }
  }

  private static Object answered(Method method, Object proxy, Object[] arguments, Runnable deed) {
    return switch (method.getName()) {
      case "equals" -> System.identityHashCode(proxy) == System.identityHashCode(arguments[0]);
      case "hashCode" -> System.identityHashCode(proxy);
      case "toString" -> "SIGHUP";
      default -> {
        deed.run();
        yield method;
      }
    };
  }
}
