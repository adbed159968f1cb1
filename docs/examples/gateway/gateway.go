// go run gateway.go
package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const path = "/v3/offlineface/authinfo"

var (
	rawData = regexp.MustCompile(`"raw_data":"([A-Za-z0-9+/]{4,}={0,2})"`)
	serials = regexp.MustCompile(`^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$`)
	passed  = map[string]bool{"content-type": true, "content-language": true, "request-id": true, "date": true, "retry-after": true}
	client  = &http.Client{Timeout: 4500 * time.Millisecond, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	devices = map[string][]string{}
	key     *rsa.PrivateKey
)

func env(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%q,"message":"refused by the gateway"}`, code)
}

// The body as the terminal of this record sends it.
func bodyOf(d []string, raw string) string {
	subAppid := ""
	if d[3] != "" {
		subAppid = `"sub_appid":"` + d[3] + `",`
	}
	return `{"sp_appid":"` + env("SP_APPID", "") + `",` + subAppid + `"sub_mchid":"` + d[2] + `","device_id":"` + d[1] +
		`","raw_data":"` + raw + `","organization_id":"` + d[4] + `"}`
}

func authorization(body []byte) (string, error) {
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	nonce := hex.EncodeToString(random)
	digest := sha256.Sum256([]byte("POST\n" + path + "\n" + timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`,
		env("SP_MCHID", ""), nonce, base64.StdEncoding.EncodeToString(signature), timestamp, env("MERCHANT_SERIAL_NO", "")), nil
}

type answer struct {
	status  int
	headers http.Header
	body    []byte
}

func post(url string, body []byte, serial string) (*answer, error) {
	signed, err := authorization(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest("POST", url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"my-gateway/1.0"},
		"Wechatpay-Serial": {serial}, "Authorization": {signed}, "Accept-Encoding": {"identity"},
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 65536))
	return &answer{response.StatusCode, response.Header, content}, err
}

func handle(w http.ResponseWriter, r *http.Request) {
	token := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	device := devices[hex.EncodeToString(token[:])]
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16384))
	found := rawData.FindSubmatch(body)
	serial := r.Header.Get("Wechatpay-Serial")
	switch {
	case r.Method != "POST":
		refuse(w, 405, "METHOD")
		return
	case device == nil || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		refuse(w, 401, "TOKEN")
		return
	case err != nil || found == nil || string(body) != bodyOf(device, string(found[1])):
		refuse(w, 403, "NOT_THIS_DEVICE")
		return
	case !serials.MatchString(serial):
		refuse(w, 400, "SERIAL")
		return
	}
	var last *answer
	for _, url := range strings.Split(env("WXPAY_URLS", "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com"), ",") {
		got, err := post(url, body, serial)
		if err == nil {
			last = got
			if got.status < 502 || got.status > 504 {
				break
			}
		}
	}
	if last == nil {
		refuse(w, 502, "UPSTREAM")
		return
	}
	for name, values := range last.headers {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "wechatpay-") || passed[lower] {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(last.status)
	w.Write(last.body)
}

func main() {
	text, err := os.ReadFile(env("MERCHANT_KEY", "apiclient_key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		log.Fatal("the merchant's key is no PEM text")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	key = parsed.(*rsa.PrivateKey)
	records, err := os.ReadFile("devices.csv")
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range strings.Split(string(records), "\n") {
		if fields := strings.Split(strings.TrimSpace(line), ","); len(fields) == 5 {
			devices[fields[0]] = fields
		}
	}
	http.HandleFunc(path, handle)
	server := &http.Server{Addr: "127.0.0.1:" + env("PORT", "8080"), ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second}
	log.Fatal(server.ListenAndServe())
}
