// go run authinfo.go [SOCKET]
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const unavailable = "刷脸支付暂不可用，请扫码支付"

var texts = map[string]string{
	"AUTHINFO_ABSENT":  "刷脸支付准备中，请稍候或扫码支付",
	"AUTHINFO_EXPIRED": "暂时不能刷脸支付，请扫码支付",
	"UNPROVISIONED":    "本机尚未开通刷脸支付，请扫码支付",
}

type document struct {
	Authinfo   string `json:"authinfo"`
	State      string `json:"state"`
	Generation int    `json:"generation"`
	RemainingS int    `json:"remaining_s"`
	// Of a problem.
	Code        string `json:"code"`
	SupportCode string `json:"support_code"`
}

// The document and "", or nil and what to show the shopper.
func readAuthinfo(path string) (*document, string) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	response, err := client.Get("http://localhost/v1/authinfo")
	if err != nil { // no socket, no permission, no answer in time
		return nil, unavailable
	}
	defer response.Body.Close()
	var found document
	if json.NewDecoder(response.Body).Decode(&found) != nil {
		return nil, unavailable
	}
	if response.StatusCode == 200 && found.Authinfo != "" {
		return &found, ""
	}
	text, known := texts[found.Code]
	if !known {
		text = unavailable
	}
	if found.SupportCode != "" {
		text += "\n支持代码 " + found.SupportCode
	}
	return nil, text
}

func main() {
	path := "/run/facepay-agent/api.sock"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	found, text := readAuthinfo(path)
	if found == nil {
		fmt.Println(text)
		os.Exit(1)
	}
	fmt.Printf("%s, generation %d, %d s left\n", found.State, found.Generation, found.RemainingS)
}
