import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 7617 Basic credentials")
struct BasicCredentialsTests {
    static let rows: [Row<String, BasicCredentials?>] = [
        Row(
            "§2", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            BasicCredentials(user: "Aladdin", password: "open sesame")),
        Row(
            "§2.1 UTF-8", "Basic dGVzdDoxMjPCow==", BasicCredentials(user: "test", password: "123£")
        ),
        Row(
            "scheme in small letters", "basic dGVzdDp0ZXN0",
            BasicCredentials(user: "test", password: "test")),
        Row(
            "more spaces", "Basic   dGVzdDp0ZXN0", BasicCredentials(user: "test", password: "test")),
        Row(
            "colons in the password", "Basic YTpiOmM=", BasicCredentials(user: "a", password: "b:c")
        ),
        Row("both empty", "Basic Og==", BasicCredentials(user: "", password: "")),
        Row("no colon", "Basic dGVzdA==", nil),
        Row("NUL", "Basic YTpiAGM=", nil),
        Row("ISO-8859-1", "Basic YTrj", nil),
        Row("line feed", "Basic YTpiCg==", nil),
        Row("no padding", "Basic Og", nil),
        Row("three letters of padding", "Basic O===", nil),
        Row("padding within", "Basic Og==Og==", nil),
        Row("bits left over", "Basic Oh==", nil),
        Row("other letters", "Basic Og-_", nil),
        Row("nothing", "Basic ", nil),
        Row("scheme only", "Basic", nil),
        Row("other scheme", "Bearer dGVzdDp0ZXN0", nil),
        Row("two words", "Basic dGVz dDp0ZXN0", nil),
    ]

    @Test(arguments: rows)
    func credentials(_ row: Row<String, BasicCredentials?>) {
        #expect(BasicCredentials(authorization: row.input) == row.expected)
    }
}
