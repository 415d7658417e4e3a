// Go's gorilla/websocket. Prints what python_clients.py says; things.py's FOR_PROGRAMS as JSON on standard
// input.
//
//	gorilla URL
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

type things struct {
	Things   []string
	Messages map[string]string
	Closes   map[string][2]any
	Limit    int
}

func (known things) attempt(url, thing string) error {
	limit := time.Duration(known.Limit) * time.Second
	dialer := websocket.Dialer{
		HandshakeTimeout: limit, EnableCompression: thing == "deflate", WriteBufferSize: 4096}
	if thing == "frag" { // what does not fit the buffer goes out in fragments
		dialer.WriteBufferSize = 512
	}
	client, response, err := dialer.Dial(url, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	client.SetReadDeadline(time.Now().Add(limit))
	extensions := response.Header.Get("Sec-Websocket-Extensions")
	if (extensions != "") != (thing == "deflate") {
		return fmt.Errorf("extensions %q", extensions)
	}
	if close, isClose := known.Closes[thing]; isClose {
		return closeWith(client, int(close[0].(float64)), close[1].(string))
	}
	if thing == "ping" {
		return ping(client, limit)
	}
	if thing == "bin1m" {
		return echo(client, websocket.BinaryMessage, known.Messages[thing])
	}
	if thing == "frag" {
		return echo(client, websocket.TextMessage, known.Messages["text70k"])
	}
	return echo(client, websocket.TextMessage, known.Messages[thing])
}

func echo(client *websocket.Conn, kind int, message string) error {
	writer, err := client.NextWriter(kind)
	if err != nil {
		return err
	}
	for rest := message; rest != ""; {
		length := len(rest)
		if length > 997 {
			length = 997
		}
		if _, err := writer.Write([]byte(rest[:length])); err != nil {
			return err
		}
		rest = rest[length:]
	}
	if err := writer.Close(); err != nil {
		return err
	}
	receivedKind, received, err := client.ReadMessage()
	if err == nil && (receivedKind != kind || string(received) != message) {
		return fmt.Errorf("got type %d, %d bytes", receivedKind, len(received))
	}
	return err
}

func ping(client *websocket.Conn, limit time.Duration) error {
	payload := strings.Repeat("p", 125)
	pong := make(chan string, 1)
	client.SetPongHandler(func(received string) error {
		pong <- received
		return nil
	})
	deadline := time.Now().Add(limit)
	if err := client.WriteControl(websocket.PingMessage, []byte(payload), deadline); err != nil {
		return err
	}
	go client.ReadMessage()
	select {
	case received := <-pong:
		if received != payload {
			return fmt.Errorf("pong %q", received)
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("no pong")
	}
}

func closeWith(client *websocket.Conn, code int, reason string) error {
	body := websocket.FormatCloseMessage(code, reason)
	if err := client.WriteMessage(websocket.CloseMessage, body); err != nil {
		return err
	}
	_, _, err := client.ReadMessage()
	if close, isClose := err.(*websocket.CloseError); !isClose {
		return fmt.Errorf("no close: %v", err)
	} else if close.Code != code || close.Text != reason {
		return fmt.Errorf("answered %d %s", close.Code, close.Text)
	}
	return nil
}

func main() {
	var known things
	if err := json.NewDecoder(os.Stdin).Decode(&known); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var binary strings.Builder
	for i := 0; i < 1<<20; i++ {
		binary.WriteByte(byte(i*31 + (i>>8)*7))
	}
	known.Messages["bin1m"] = binary.String()
	for _, thing := range known.Things {
		if err := known.attempt(os.Args[1], thing); err != nil {
			fmt.Printf("%s\tFAIL\t%v\n", thing, err)
		} else {
			fmt.Printf("%s\tok\t\n", thing)
		}
	}
}
