import EventLoop
import HTTPProtocol
// All public names of the log: whoever opens connections gives them one.
@_exported import Logging
import WebSocketProtocol

// What handlers and embedders name, so that they need to import no module further down.

public typealias Fields = HTTPProtocol.Fields
public typealias FieldError = HTTPProtocol.FieldError
public typealias Status = HTTPProtocol.Status
public typealias Query = HTTPProtocol.Query
public typealias Cookies = HTTPProtocol.Cookies
public typealias Message = WebSocketProtocol.Message
public typealias Close = WebSocketProtocol.Close
public typealias CloseCode = WebSocketProtocol.CloseCode
public typealias Opcode = WebSocketProtocol.Opcode
public typealias FrameHeader = WebSocketProtocol.FrameHeader
public typealias ProtocolError = WebSocketProtocol.ProtocolError
public typealias SendError = WebSocketProtocol.SendError
public typealias ExtensionOffer = WebSocketProtocol.ExtensionOffer
public typealias SocketAddress = EventLoop.SocketAddress
public typealias AcceptKey = WebSocketProtocol.AcceptKey
public typealias TLSInfo = EventLoop.TLSInfo
public typealias TLSError = EventLoop.TLSError
public typealias TLSFileError = EventLoop.TLSFileError
public typealias TLSConfiguration = EventLoop.TLSConfiguration
public typealias TLSClientConfiguration = EventLoop.TLSClientConfiguration
public typealias SelfSignedCertificate = EventLoop.SelfSignedCertificate
public typealias SystemError = EventLoop.SystemError
public typealias CompressionSettings = WebSocketProtocol.CompressionSettings
public typealias DeflateParameters = WebSocketProtocol.DeflateParameters
