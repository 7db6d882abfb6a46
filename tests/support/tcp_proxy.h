#pragma once

#include <memory>

/// A TCP proxy on a loopback port, on a thread of its own, whose connections can fall silent: what
/// a broken network looks like from both sides.
class TcpProxy {
 public:
  /// Passes connections on to `port` on the loopback address.
  explicit TcpProxy(int port);
  ~TcpProxy();

  int port() const;

  /// Forwards nothing any more and accepts nothing new; open connections stay open.
  void fall_silent();
  /// Forwards again.
  void recover();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
