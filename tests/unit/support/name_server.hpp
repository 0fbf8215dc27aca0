// The system's resolver, as a test wants it: a program that has this source answers names of .test itself.
//   one.test      127.0.0.7, where nobody listens
//   two.test      127.0.0.7, 127.0.0.1
//   missing.test  not known
//   slow.test     like one.test, once let_go() has been called after hold()
#pragma once

namespace pgtandem::test {

struct name_server {
  static void hold();  // from now on; forgets what has been asked
  static void let_go();
  static int asked();  // for slow.test, since then
};

}  // namespace pgtandem::test
