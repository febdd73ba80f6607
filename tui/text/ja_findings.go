package text

import "maps"

// japaneseFindings gives the findings' titles by code. What exactly was seen
// stands in the detail, as it was seen.
func japaneseFindings() map[string]string {
	all := japaneseMachineFindings()
	maps.Copy(all, japanesePacketFindings())
	maps.Copy(all, japaneseReachFindings())
	return all
}

func japaneseMachineFindings() map[string]string {
	return map[string]string{
		"config-invalid":        "設定ファイルに誤りがあります",
		"podman-unreachable":    "Podman に問い合わせできません",
		"podman-not-cni":        "Podman のネットワーク方式が CNI ではありません",
		"podman-without-cni":    "Podman 5 に CNI を使う設定が残っています",
		"machine-unseen":        "マシンの状態を確認できません",
		"disk-full":             "ディスクの空きがほとんどありません",
		"clock-jumped":          "時計がずれています",
		"ip-forward-next-boot":  "再起動すると IP 転送が無効になります",
		"plugin-missing":        "プラグインがインストールされていません",
		"plugin-not-executable": "プラグインを実行できません",
		"plugin-other-version":  "プラグインとコンソールの版が異なります",
		"network-list-missing":  "Podman にネットワークが登録されていません",
		"network-list-shadowed": "同じ名前の別のネットワークがあります",
		"network-list-invalid":  "Podman のネットワークを使えません",
		"network-list-differs":  "Podman のネットワークが設定ファイルと異なります",
		"bridge-unseen":         "リンクとアドレスを確認できません",
		"bridge-missing":        "ブリッジがありません",
		"bridge-not-a-bridge":   "ブリッジの名前が別の種類のリンクに使われています",
		"bridge-down":           "ブリッジが停止しています",
		"bridge-wrong-address":  "ブリッジのアドレスが違います",
		"bridge-wrong-mtu":      "ブリッジの MTU が違います",
		"subnet-overlap":        "サブネットが別の経路と重なっています",
		"ip-forward-off":        "IP 転送が無効です",
		"bridge-silent":         "ブリッジが ping に応答しません",
	}
}

func japanesePacketFindings() map[string]string {
	return map[string]string{
		"firewall-unseen":           "パケット フィルターを確認できません",
		"forward-rules-missing":     "FORWARD の許可ルールが足りません",
		"forward-rules-behind-drop": "許可ルールより前に破棄するルールがあります",
		"docker-rules-missing":      "DOCKER-USER に許可ルールがありません",
		"forward-rules-doubled":     "許可ルールが重複しています",
		"firewall-left-over":        "不要になったルールが残っています",
		"firewall-mixed":            "iptables-nft と iptables-legacy が混在しています",
		"bridge-nf-call":            "コンテナ間の通信もルールの対象になっています",
		"masquerade-missing":        "マスカレードのルールがありません",
		"leases-unseen":             "リースを確認できません",
		"lease-unknown":             "リースの状態を判断できません",
		"lease-stale":               "消えたコンテナのリースが残っています",
		"lease-doubled":             "一つのアドレスまたはインターフェイスが二重に使われています",
		"pool-nearly-full":          "空きアドレスがほとんどありません",
		"lease-without-veth":        "実行中のコンテナがブリッジにつながっていません",
		"veth-without-lease":        "リースのないリンクがブリッジにあります",
	}
}

func japaneseReachFindings() map[string]string {
	return map[string]string{
		"windows-unreachable":      "Windows に問い合わせできません",
		"wsl-mirrored":             "WSL がミラー モードのため経路を設定できません",
		"route-missing":            "Windows に経路がありません",
		"route-wrong-gateway":      "Windows の経路の宛先が違います",
		"route-shadowed":           "別の経路が優先されています",
		"route-duplicate":          "余分な経路が残っています",
		"route-after-restart":      "再起動後に経路が変わります",
		"route-unjudged":           "経路を判断できません",
		"windows-cannot-reach":     "経路は正しいのに Windows から届きません",
		"gateway-unseen":           "ゲートウェイの設定を確認できません",
		"gateway-down":             "ゲートウェイが応答しません",
		"gateway-other-generation": "ゲートウェイが別の世代の設定で動いています",
		"gateway-drift":            "ゲートウェイの設定があるべき内容と異なります",
		"site-host-twice":          "二つのサイトが同じホスト名を使っています",
		"site-set-aside":           "公開できないサイトを除外しました",
		"site-without-container":   "サイトのコンテナが動いていません",
		"probes-unseen":            "監視できませんでした",
		"upstream-down":            "サーバーが応答しません",
		"upstream-wrong-status":    "サーバーの応答が期待と異なります",
		"upstream-unknown":         "サーバーの状態を判断できません",
		"upstream-slow":            "サーバーの応答が遅くなっています",
		"gateway-502":              "ゲートウェイから 502 または 504 が返っています",
	}
}

// FindingTitle gives the title of a finding in the catalogue's language:
// title itself, where the catalogue has none for the code.
func (t *Texts) FindingTitle(code, title, target string) string {
	own, ok := t.FindingTitles[code]
	switch {
	case !ok:
		return Line(title)
	case target == "":
		return own
	}
	return own + " (" + Line(target) + ")"
}
