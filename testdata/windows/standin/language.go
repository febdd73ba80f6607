package standin

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// words are what Windows translates in the table, and the OEM code page that
// it prints them in.
type words struct {
	codePage                                   encoding.Encoding
	interfaces, table, active, columns, onLink string
	persistent, persistentColumns, none        string
	standard                                   string // "Default", for the metric of a persistent route
	ok, refused, reply                         string
}

// speak gives the words of a language; English where it is not known.
func speak(language string) words {
	switch language {
	case "ja":
		return words{
			japanese.ShiftJIS, "インターフェイス一覧", "IPv4 ルート テーブル", "アクティブ ルート:",
			"ネットワーク宛先        ネットマスク          ゲートウェイ       インターフェイス  メトリック", "リンク上",
			"固定ルート:", "  ネットワーク アドレス          ネットマスク  ゲートウェイ アドレス  メトリック", "なし", "既定",
			" OK!", "要求された操作には管理者特権が必要です。", "%s からの応答: バイト数 =32 時間 <1ms TTL=64",
		}
	case "de":
		return words{
			charmap.CodePage850, "Schnittstellenliste", "IPv4-Routentabelle", "Aktive Routen:",
			"     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik", "Auf Verbindung",
			"Ständige Routen:", "  Netzwerkadresse          Netzmaske  Gatewayadresse  Metrik", "Keine", "Standard",
			" OK!", "Der angeforderte Vorgang erfordert erhöhte Rechte.", "Antwort von %s: Bytes=32 Zeit<1ms TTL=64",
		}
	case "fr":
		return words{
			charmap.CodePage850, "Liste d'Interfaces", "IPv4 Table de routage", "Itinéraires actifs :",
			"Destination réseau    Masque réseau  Adr. passerelle   Adr. interface Métrique", "Sur le lien",
			"Itinéraires persistants :", "  Adresse réseau    Masque réseau  Adresse passerelle Métrique", "Aucun", "Par défaut",
			" OK!", "L'opération demandée nécessite une élévation.", "Réponse de %s : octets=32 temps<1ms TTL=64",
		}
	case "es":
		return words{
			charmap.CodePage850, "ILista de interfaces", "IPv4 Tabla de enrutamiento", "Rutas activas:",
			"Destino de red        Máscara de red   Puerta de enlace   Interfaz  Métrica", "En vínculo",
			"Rutas persistentes:", "  Dirección de red   Máscara de red  Dirección de puerta de enlace  Métrica", "Ninguno", "Predeterminado",
			" Correcto", "La operación solicitada requiere elevación.", "Respuesta desde %s: bytes=32 tiempo<1m TTL=64",
		}
	case "zh":
		return words{
			simplifiedchinese.GBK, "接口列表", "IPv4 路由表", "活动路由:",
			"网络目标        网络掩码          网关       接口   跃点数", "在链路上",
			"永久路由:", "  网络地址          网络掩码  网关地址  跃点数", "无", "默认",
			" 操作完成!", "请求的操作需要提升。", "来自 %s 的回复: 字节=32 时间<1ms TTL=64",
		}
	case "ko":
		return words{
			korean.EUCKR, "인터페이스 목록", "IPv4 경로 테이블", "활성 경로:",
			"네트워크 대상      네트워크 마스크      게이트웨이      인터페이스  메트릭", "연결됨",
			"영구 경로:", "  네트워크 주소    네트워크 마스크  게이트웨이 주소  메트릭", "없음", "기본값",
			" 확인!", "요청한 작업을 수행하려면 권한 상승이 필요합니다.", "%s의 응답: 바이트=32 시간<1ms TTL=64",
		}
	case "ru":
		return words{
			charmap.CodePage866, "Список интерфейсов", "IPv4 таблица маршрута", "Активные маршруты:",
			"Сетевой адрес           Маска сети      Адрес шлюза       Интерфейс  Метрика", "On-link",
			"Постоянные маршруты:", "  Сетевой адрес            Маска    Адрес шлюза      Метрика", "Отсутствует", "По умолчанию",
			" ОК", "Запрошенная операция требует повышения.", "Ответ от %s: число байт=32 время<1мс TTL=64",
		}
	}
	return words{
		charmap.CodePage437, "Interface List", "IPv4 Route Table", "Active Routes:",
		"Network Destination        Netmask          Gateway       Interface  Metric", "On-link",
		"Persistent Routes:", "  Network Address          Netmask  Gateway Address  Metric", "None", "Default",
		" OK!", "The requested operation requires elevation.", "Reply from %s: bytes=32 time<1ms TTL=64",
	}
}

// encode gives text with Windows' line ends, in the language's code page.
func (w words) encode(text string) []byte {
	out, err := encoding.ReplaceUnsupported(w.codePage.NewEncoder()).Bytes([]byte(text))
	if err != nil {
		return []byte(text)
	}
	return out
}
