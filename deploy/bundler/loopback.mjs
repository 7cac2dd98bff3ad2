// Loaded before alto (`node --import`), which can only be told a port: it would listen on every interface.
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (options, ...rest) {
  return listen.call(this, typeof options === "object" ? { ...options, host: "127.0.0.1" } : options, ...rest);
};
